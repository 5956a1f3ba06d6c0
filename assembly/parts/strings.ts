// Functions of strings.

export * from '../abi'
export * from '../strings/ask'
export * from '../strings/build'
export * from '../strings/entries'
export * from '../strings/json-path'
export * from '../strings/pieces'
