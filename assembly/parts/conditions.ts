// Functions that choose among values.

export * from '../abi'
export * from '../conditions'
