/** Methods that choose among values; conditions.ts of api/ has the functions. */
import type { CallMethods } from '../calls.js'

const of = ['number', 'string', 'boolean', 'time'] as const

export const conditionMethods: CallMethods = {
  coalesce: { of, gives: 'same' },
  nullIf: { of, gives: 'same' },
}
