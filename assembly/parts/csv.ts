// What CSV is read with.

export * from '../abi'
export * from '../csv/numbers'
export { csvLong, csvScan } from '../csv/scan'
export * from '../csv/start'
export * from '../csv/table'
export { csvStart } from '../csv/tables'
export { csvGrowIndex, csvStartIndex, csvText } from '../csv/text'
export * from '../csv/times'
