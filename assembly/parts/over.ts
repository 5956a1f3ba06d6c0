// What is said of each row among others of its partition.

export * from '../abi'
export * from '../over'
