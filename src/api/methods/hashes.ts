/** Methods that hash. */
import type { CallMethod, CallMethods } from '../calls.js'
import { invalid, isPlainRecord, show } from '../refusal.js'

const hash: CallMethod = {
  of: ['number', 'string', 'boolean', 'time'],
  gives: ([told]) => (isPlainRecord(told) ? 'string' : 'number'),
  split([told], name) {
    if (isPlainRecord(told)) return [[], { key: keyIn(told.key, name) }]
    if (told === undefined) return [[]]
    if (typeof told === 'bigint' || Number.isSafeInteger(told)) return [[], { seed: told as number | bigint }]
    throw invalid(name, `the seed is an integer, not ${show(told)}; a key is said as { key }`)
  },
}

export const hashMethods: CallMethods = { hash }

/** 16 bytes as 32 hexadecimal digits. What it is instead is not shown: it is a secret, or nearly one. */
function keyIn(key: unknown, name: string): string {
  if (typeof key === 'string' && /^[\da-f]{32}$/i.test(key)) return key.toLowerCase()
  if (key instanceof Uint8Array && key.length === 16) {
    return Array.from(key, byte => byte.toString(16).padStart(2, '0')).join('')
  }
  throw invalid(name, 'the key is 16 bytes: a Uint8Array, or 32 hexadecimal digits')
}
