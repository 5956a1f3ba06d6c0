// Functions of dates and instants.

export * from '../abi'
export * from '../times/parts'
export * from '../times/shift'
export { timesNext, timesToInstant, timesToLocal } from '../times/zones'
