// What expressions compute with, beyond bitmaps and strings.

export * from '../abi'
export * from '../arithmetic'
export * from '../calendar'
export * from '../cast'
export * from '../compare'
