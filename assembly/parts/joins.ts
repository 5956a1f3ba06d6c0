// What flows of several sources are joined with.

export * from '../abi'
export * from '../cast'
export * from '../join'
export * from '../records'
