// Functions of numbers.

export * from '../abi'
export * from '../numbers'
