/** Functions of numbers: integers are bigint, floats numbers. */
import type { ModelFunctions } from '../functions.js'
import { isInteger, ModelError, type ModelType, type Value } from '../value.js'

export const numberFunctions: ModelFunctions = {
  abs: {
    type: ([{ kind, nullable }]) => ({ kind: isInteger(kind) ? 'int64' : 'float64', nullable }),
    evaluate([value], { row }) {
      if (typeof value !== 'bigint') return ofFloat(value, Math.abs)
      if (value === -(2n ** 63n)) throw new ModelError('MR_INTEGER_OVERFLOW', row)
      return value < 0n ? -value : value
    },
  },
  sqrt: { type: as('float64'), evaluate: ([value]) => ofFloat(value, Math.sqrt) },
  isNaN: { type: as('bool'), evaluate: ([value]) => (value === null ? null : Number.isNaN(value)) },
}

function as(kind: ModelType['kind']) {
  return ([{ nullable }]: readonly ModelType[]): ModelType => ({ kind, nullable })
}

const ofFloat = (value: Value, compute: (value: number) => number): Value =>
  value === null ? null : compute(Number(value))
