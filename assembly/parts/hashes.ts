// Published hashes of values.

export * from '../abi'
export * from '../hashes'
