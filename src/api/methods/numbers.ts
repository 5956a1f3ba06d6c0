/** Methods of numbers that call functions. */
import type { CallMethod, CallMethods } from '../calls.js'
import { invalid, show } from '../refusal.js'

const ofNumbers: CallMethod = { of: ['number'], gives: 'number' }

export const numberMethods: CallMethods = {
  abs: ofNumbers,
  sign: ofNumbers,
  sqrt: ofNumbers,
  exp: ofNumbers,
  ln: ofNumbers,
  log10: ofNumbers,
  pow: ofNumbers,
  floor: ofNumbers,
  ceil: ofNumbers,
  round: {
    ...ofNumbers,
    split([decimals = 0], name) {
      if (Number.isInteger(decimals) && Math.abs(decimals as number) <= 22)
        return [[], { decimals: decimals as number }]
      throw invalid(name, `decimals are an integer from -22 to 22, not ${show(decimals)}`)
    },
  },
  clamp: {
    ...ofNumbers,
    split([low, high], name) {
      const [least, most] = [low, high].map(bound => (bound === undefined ? null : bound))
      if ([least, most].some(Number.isNaN)) throw invalid(name, 'a bound is NaN; for none write null')
      // Numbers and bigints compare exactly.
      if (isLiteral(least) && isLiteral(most) && least > most)
        throw invalid(name, `the bounds cross: ${least} is above ${most}`)
      return [[least, most]]
    },
    takesNull: true,
  },
  bucket: {
    ...ofNumbers,
    split([width, offset = 0], name) {
      if (!isLiteral(width) || !(width > 0) || width === Infinity)
        throw invalid(name, `the width is a number above 0, not ${show(width)}`)
      if (!isLiteral(offset) || (typeof offset === 'number' && !Number.isFinite(offset)))
        throw invalid(name, `the offset is a finite number, not ${show(offset)}`)
      return [[], { width, offset }]
    },
  },
  isNaN: { of: ['number'], gives: 'boolean' },
}

const isLiteral = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'
