// What rows that outnumber the caches are parted with.

export * from '../abi'
export { minMaxLeast64 } from '../aggregate/min-max'
export * from '../first-rows'
export * from '../radix'
export * from '../ranges'
