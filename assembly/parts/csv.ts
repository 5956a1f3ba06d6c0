// What CSV is read with.

export * from '../abi'
export * from '../csv/numbers'
export { csvLong, csvScan } from '../csv/scan'
export * from '../csv/table'
export { csvGrowIndex, csvText } from '../csv/text'
export * from '../csv/times'
