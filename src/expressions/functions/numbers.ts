/** Functions of numbers. */
import type { Functions } from '../calls.js'

export const numberFunctions: Functions = {
  abs: { takes: 'n>n', fails: true },
  sqrt: { takes: 'f>f' },
  isNaN: { takes: 'f>b' },
}
