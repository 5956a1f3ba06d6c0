/** Functions of strings. */
import type { Functions } from '../calls.js'

export const stringFunctions: Functions = {
  lower: { takes: 's>s' },
  upper: { takes: 's>s' },
  trim: { takes: 's>s' },
  trimStart: { takes: 's>s' },
  trimEnd: { takes: 's>s' },
  slice: { takes: 's>s' },
  concat: { takes: 's+>s' },
  replace: { takes: 'sss>s' },
  replaceFirst: { takes: 'sss>s' },
  padStart: { takes: 's>s' },
  padEnd: { takes: 's>s' },
  repeat: { takes: 's>s' },
  reverse: { takes: 's>s' },
  split: { takes: 's>S' },
  length: { takes: 's>j' },
  indexOf: { takes: 'ss>j' },
  contains: { takes: 'ss>b' },
  startsWith: { takes: 'ss>b' },
  endsWith: { takes: 'ss>b' },
  toNumber: { takes: 's>F' },
}
