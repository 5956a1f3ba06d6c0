// What integers are summed with.

export * from '../abi'
export * from '../aggregate/sum-int'
