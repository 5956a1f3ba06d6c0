/** Functions that choose among values. */
import type { ModelFunctions } from '../functions.js'
import { compareValues, isFloat, isNumber, type ModelType, NANOSECONDS_PER, type Value } from '../value.js'

export const conditionFunctions: ModelFunctions = {
  coalesce: {
    type: types => ({ ...common(types), nullable: types.every(({ nullable }) => nullable) }),
    evaluate(values, { types }) {
      const at = values.findIndex(value => value !== null)
      return at < 0 ? null : as(values[at] as Value, types[at] as ModelType, common(types))
    },
  },
  when: {
    type(types) {
      const { values, isTotal } = parts(types)
      return { ...common(values), nullable: !isTotal || values.some(({ nullable }) => nullable) }
    },
    evaluate(values, { types }) {
      const type = common(parts(types).values)
      for (let i = 0; i + 1 < values.length; i += 2) {
        if (values[i] === true) return as(values[i + 1] as Value, types[i + 1] as ModelType, type)
      }
      return values.length % 2 === 0 ? null : as(values.at(-1) as Value, types.at(-1) as ModelType, type)
    },
  },
  nullIf: {
    type: ([first]) => ({ ...(first as ModelType), nullable: true }),
    evaluate: ([value, other], { types: [type, otherType] }) => {
      if (value === null || other === null) return value as Value
      const isEqual =
        compareValues(instant(value as Value, type as ModelType), instant(other as Value, otherType as ModelType)) === 0
      return isEqual ? null : (value as Value)
    },
  },
}

function parts<T>(inputs: readonly T[]): { values: T[]; isTotal: boolean } {
  const isTotal = inputs.length % 2 === 1
  return { values: inputs.filter((_, i) => i % 2 === 1 || (isTotal && i === inputs.length - 1)), isTotal }
}

const SMALL = ['int8', 'int16', 'int32', 'uint8', 'uint16']

/** A type that is null is a literal's, which has none of its own. */
export function common(types: readonly ModelType[]): ModelType {
  return types.reduce((a, b) => {
    if (a.kind === b.kind && a.unit === b.unit) return a
    if (!isNumber(a.kind)) return { kind: a.kind, nullable: false, unit: finer(a.unit, b.unit) }
    if (isFloat(a.kind) || isFloat(b.kind)) return { kind: 'float64', nullable: false }
    return { kind: SMALL.includes(a.kind) && SMALL.includes(b.kind) ? 'int32' : 'int64', nullable: false }
  })
}

const finer = (a: ModelType['unit'] = 's', b: ModelType['unit'] = 's') =>
  NANOSECONDS_PER[a] < NANOSECONDS_PER[b] ? a : b

export function as(value: Value, from: ModelType, to: ModelType): Value {
  if (value === null) return null
  if (to.kind === 'float64' && typeof value === 'bigint') return Number(value)
  if (to.unit !== undefined && from.unit !== undefined)
    return ((value as bigint) * NANOSECONDS_PER[from.unit]) / NANOSECONDS_PER[to.unit]
  return value
}

const instant = (value: Value, { unit }: ModelType): Value =>
  unit === undefined ? value : (value as bigint) * NANOSECONDS_PER[unit]
