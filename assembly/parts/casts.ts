// Conversions that users ask for.

export * from '../abi'
export * from '../casts'
