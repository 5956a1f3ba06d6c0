// What CSV is read with.

export * from '../abi'
export * from '../csv/numbers'
export * from '../csv/quick'
export { csvLong, csvPlainBlocks, csvScan } from '../csv/scan'
export * from '../csv/table'
export { csvGrowIndex, csvQuickFew, csvQuickText, csvStartIndex, csvText } from '../csv/text'
export * from '../csv/times'
