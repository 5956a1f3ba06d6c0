/** Functions of numbers: integers are bigint, floats numbers. */
import { exp, ln, log10, pow } from '../exponential.js'
import type { ModelFunction, ModelFunctions } from '../functions.js'
import { roundFraction, toUnits } from '../rational.js'
import { isInteger, ModelError, type ModelType, type Value } from '../value.js'

export const numberFunctions: ModelFunctions = {
  abs: ofNumber(
    value => (value < 0n ? -value : value),
    value => Math.abs(value),
  ),
  sign: ofNumber(value => BigInt(Number(value > 0n) - Number(value < 0n)), Math.sign),
  sqrt: ofFloat(Math.sqrt),
  exp: ofFloat(exp),
  ln: ofFloat(ln),
  log10: ofFloat(log10),
  pow: {
    type: types => ({ kind: 'float64', nullable: types.some(({ nullable }) => nullable) }),
    evaluate: ([base, exponent]) => (base === null || exponent === null ? null : pow(Number(base), Number(exponent))),
  },
  floor: ofNumber(value => value, Math.floor),
  ceil: ofNumber(value => value, Math.ceil),
  round: {
    type: ([type]) => ofKind(type as ModelType),
    evaluate([value], { parameters, row }) {
      const decimals = Number(parameters.decimals ?? 0)
      if (value === null) return null
      return typeof value === 'bigint'
        ? withinInt64(roundInteger(value, decimals), row)
        : roundFloat(value as number, decimals)
    },
  },
  clamp: {
    type: types => ({
      kind: types.every(({ kind }) => isInteger(kind)) ? 'int64' : 'float64',
      nullable: types[0]?.nullable as boolean,
    }),
    evaluate([value, low, high], { types }) {
      if (value === null) return null
      const isWhole = types.every(({ kind }) => isInteger(kind))
      const as = (number: Value): Value => (isWhole || number === null ? number : Number(number))
      const [least, most] = [as(low as Value), as(high as Value)] as [bigint | null, bigint | null]
      let result = as(value as Value) as bigint
      if (least !== null && result < least) result = least
      if (most !== null && result > most) result = most
      return result
    },
  },
  bucket: {
    type: ([type], { width, offset }) => ({
      kind: isInteger((type as ModelType).kind) && [width, offset].every(isWhole) ? 'int64' : 'float64',
      nullable: (type as ModelType).nullable,
    }),
    evaluate([value], { parameters, row }) {
      const { width, offset } = parameters as { width: number; offset: number }
      if (value === null) return null
      if (typeof value !== 'bigint' || !isWhole(width) || !isWhole(offset)) {
        return Math.floor((Number(value) - offset) / width) * width + offset
      }
      const rest = (value - BigInt(offset)) % BigInt(width)
      return withinInt64(value - (rest < 0n ? rest + BigInt(width) : rest), row)
    },
  },
  isNaN: {
    type: ([type]) => ({ kind: 'bool', nullable: (type as ModelType).nullable }),
    evaluate: ([value]) => (value === null ? null : Number.isNaN(value)),
  },
}

const isWhole = (told: unknown): boolean => typeof told === 'bigint' || Number.isInteger(told)

const ofKind = ({ kind, nullable }: ModelType): ModelType => ({ kind: isInteger(kind) ? 'int64' : 'float64', nullable })

/** int64 of integers, float64 of floats. */
function ofNumber(ofInteger: (value: bigint) => bigint, compute: (value: number) => number): ModelFunction {
  return {
    type: ([type]) => ofKind(type as ModelType),
    evaluate([value], { row }) {
      if (value === null) return null
      return typeof value === 'bigint' ? withinInt64(ofInteger(value), row) : compute(value as number)
    },
  }
}

function ofFloat(compute: (value: number) => number): ModelFunction {
  return {
    type: ([type]) => ({ kind: 'float64', nullable: (type as ModelType).nullable }),
    evaluate: ([value]) => (value === null ? null : compute(Number(value))),
  }
}

function withinInt64(value: bigint, row: number): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new ModelError('MR_INTEGER_OVERFLOW', row)
  return value
}

/** value / unit to the nearest integer, halves away from zero. */
function nearest(value: bigint, unit: bigint): bigint {
  const magnitude = (2n * (value < 0n ? -value : value) + unit) / (2n * unit)
  return value < 0n ? -magnitude : magnitude
}

function roundInteger(value: bigint, decimals: number): bigint {
  const unit = 10n ** BigInt(Math.max(0, -decimals))
  return nearest(value, unit) * unit
}

/** Of the exact value of a double, a fraction of 2^1074; the result is rounded once more, to a double. */
function roundFloat(value: number, decimals: number): number {
  if (!Number.isFinite(value)) return value
  const ten = 10n ** BigInt(Math.abs(decimals))
  const one = 2n ** 1074n
  const rounded =
    decimals >= 0
      ? roundFraction(nearest(toUnits(value) * ten, one), ten)
      : roundFraction(nearest(toUnits(value), one * ten) * ten, 1n)
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded
}
