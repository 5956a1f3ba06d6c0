// Functions of numbers.

export * from '../abi'
export * from '../exponential'
export * from '../numbers'
