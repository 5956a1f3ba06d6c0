/** Functions of numbers. */
import { float64, int64 } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { CallTyping, Functions } from '../calls.js'
import { INT64_MAX, INT64_MIN } from '../literal.js'
import { hull, type Range } from '../range.js'
import { isIntegral, numeric, operandAs, settle, withNull } from '../typing.js'

export const numberFunctions: Functions = {
  abs: { takes: 'n>n', range: (_, [input]) => input && magnitudes(input) },
  sign: { takes: 'n>n', range: (_, [input]) => input && { min: -1n, max: 1n } },
  sqrt: { takes: 'f>f' },
  exp: { takes: 'f>f' },
  ln: { takes: 'f>f' },
  log10: { takes: 'f>f' },
  pow: { takes: 'ff>f' },
  floor: { takes: 'n>n', range: (_, [input]) => input },
  ceil: { takes: 'n>n', range: (_, [input]) => input },
  /** `decimals` from -22 to 22. */
  round: {
    takes: 'n>n',
    range({ parameters }, [input]) {
      const decimals = Number(parameters?.decimals ?? 0)
      if (decimals >= 0 || !input) return input
      const unit = 10n ** BigInt(-decimals)
      return { min: roundedTo(unit, input.min), max: roundedTo(unit, input.max) }
    },
  },
  /** Value, least and greatest; a bound that is null is none. */
  clamp: {
    takes: 'nnn>n',
    isNullable: ([{ type }]) => type.nullable,
    range: (_, [input, low, high]) => input && hull([input, low, high]),
  },
  /** `width` above 0, `offset` finite. */
  bucket: {
    takes: bucketTyping,
    range: ({ parameters }, [input]) =>
      input && { min: input.min - (parameters?.width as bigint) + 1n, max: input.max },
  },
  isNaN: { takes: 'f>b' },
}

const magnitudes = ({ min, max }: Range): Range => ({ min: 0n, max: -min > max ? -min : max })

function roundedTo(unit: bigint, value: bigint): bigint {
  const rest = value % unit
  const up = rest * 2n >= unit ? unit : rest * 2n <= -unit ? -unit : 0n
  return value - rest + up
}

/** int64 where the value, the width and the offset are integers: then both are bigint. */
function bucketTyping(...[node, [given], scope]: Parameters<CallTyping>): ReturnType<CallTyping> {
  const value = settle(numeric(given, node.function, scope), scope.operator)
  const { width, offset = 0 } = node.parameters as { width: number | bigint; offset?: number | bigint }
  const isWhole = [width, offset].every(told => typeof told === 'bigint' || Number.isInteger(told))
  const isInt = isIntegral(value, value) && isWhole
  if (isInt && [width, offset].some(told => BigInt(told) > INT64_MAX || BigInt(told) < INT64_MIN)) {
    throw new MillraceError('MR_INVALID_OPTION', `${scope.operator}: bucket: its width or its offset is beyond int64`, {
      operator: scope.operator,
    })
  }
  const type = withNull(isInt ? int64() : float64(), value.type.nullable)
  const as = isInt ? BigInt : Number
  return { inputs: [operandAs(value, type, scope)], parameters: { width: as(width), offset: as(offset) }, type }
}
