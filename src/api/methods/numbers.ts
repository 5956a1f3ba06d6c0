/** Methods of numbers that call functions. */
import type { CallMethods } from '../calls.js'

export const numberMethods: CallMethods = {
  abs: { of: ['number'], gives: 'number' },
  sqrt: { of: ['number'], gives: 'number' },
  isNaN: { of: ['number'], gives: 'boolean' },
}
