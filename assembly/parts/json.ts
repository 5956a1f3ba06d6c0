// What records of JSON are read with.

export * from '../abi'
export { jsonAddKey } from '../json/keys'
export { jsonParse } from '../json/rows'
export { jsonLineBreak } from '../json/skip-row'
