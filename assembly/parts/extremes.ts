// The least and the greatest, and the images of values that other aggregates order them by too.

export * from '../abi'
export * from '../aggregate/min-max'
