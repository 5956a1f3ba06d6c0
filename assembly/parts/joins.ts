// What flows of several sources are joined with.

export * from '../abi'
export * from '../cast'
export * from '../compact'
export * from '../join'
export * from '../parted-index'
export * from '../records'
