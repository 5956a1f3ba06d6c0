/**
 * Functions of strings, asked of items: an item has one string of every input, and is a row, or an entry of a dictionary (text-entries.ts
 * says which). Strings come out as codes into a dictionary of their own. Answers are in scratch; those of null items are unspecified.
 */
import type { Kernels } from './instance.js'
import type { LaneDictionary } from './text.js'

export interface TextInput {
  readonly dictionary: LaneDictionary
  /** u32 per item. */
  readonly codes: number
  /** 0 where all items have the first code. */
  readonly step: 4 | 0
}

export interface TextItems {
  readonly inputs: readonly TextInput[]
  /** Of items that are rows; 0 where none is null. */
  readonly validity: number
  readonly count: number
}

export interface TextAnswers {
  /** Codes and int32 of 4 bytes, float64 and ticks of 8, truths of one byte. */
  readonly values: number
  /** A byte per item, 0 where there is no answer; 0 where all have one. */
  readonly known: number
  /** Items that are not answered, whose rows fail; ascending. */
  readonly refused?: readonly number[]
}

/** What is built: the numbers that assembly/strings/build.ts has for them. */
export const BUILT = {
  lower: 0,
  upper: 1,
  concat: 2,
  replace: 3,
  replaceFirst: 4,
  padStart: 5,
  padEnd: 6,
  repeat: 7,
  reverse: 8,
} as const
export type Built = keyof typeof BUILT

const TRIMMED = { trimStart: 1, trimEnd: 2, trim: 3 } as const
export type Trimmed = keyof typeof TRIMMED

const WHERE = { contains: 0, startsWith: 1, endsWith: 2 } as const
export type Where = keyof typeof WHERE

const INPUT_BYTES = 16
const NOT_ASCII = 0xffffffff
/** Of no string. */
const NO_LENGTH = 0xffffffff

/** @param number how long a padded string is, how often one is repeated. */
export function built(k: Kernels, what: Built, number: number, items: TextItems, into: LaneDictionary): TextAnswers {
  const { exports, memory } = k
  const { count, validity, inputs } = items
  const codes = memory.scratch(4 * count)
  const given = write(k, items)
  const which = BUILT[what]
  into.internBy(
    count,
    (table, item) => exports.stringsBuild(which, number, table, given, inputs.length, validity, item, count, codes),
    item => exports.stringsBuiltBytes(which, number, given, inputs.length, item),
  )
  return { values: codes, known: 0 }
}

/**
 * By Unicode's rules of the root locale as the JavaScript engine has them; ASCII, which is most, by a kernel.
 */
export function inCase(k: Kernels, what: 'lower' | 'upper', items: TextItems, into: LaneDictionary): TextAnswers {
  const answers = built(k, what, 0, items, into)
  const { u32 } = k.memory
  const at = answers.values >>> 2
  const others: number[] = []
  for (let item = 0; item < items.count; item++) if (u32[at + item] === NOT_ASCII) others.push(item)
  if (others.length > 0) {
    const change = (text: string) => (what === 'lower' ? text.toLowerCase() : text.toUpperCase())
    const codes = into.internStrings(others.map(item => change(textOf(k, items, item))))
    for (const [i, item] of others.entries()) k.memory.u32[at + item] = codes[i]
  }
  return answers
}

export function trimmed(k: Kernels, what: Trimmed, items: TextItems, into: LaneDictionary): TextAnswers {
  const ends = TRIMMED[what]
  return pieces(k, items, into, (table, given, item, codes) =>
    k.exports.stringsTrim(ends, table, given, items.validity, item, items.count, codes),
  )
}

/** Code points `first` to before `last`; below 0 they count from the end. */
export function sliced(k: Kernels, first: number, last: number, items: TextItems, into: LaneDictionary): TextAnswers {
  return pieces(k, items, into, (table, given, item, codes) =>
    k.exports.stringsSlice(first, last, table, given, items.validity, item, items.count, codes),
  )
}

/** Piece `index` between the second input's strings, none of which is empty; below 0 it counts from the last. */
export function pieceOf(k: Kernels, index: number, items: TextItems, into: LaneDictionary): TextAnswers {
  const known = k.memory.scratch(items.count)
  const { values } = pieces(k, items, into, (table, given, item, codes) =>
    k.exports.stringsSplit(index, table, given, items.validity, item, items.count, codes, known),
  )
  return { values, known }
}

/**
 * The value at a path of names and places in each string of JSON: a string's characters, of anything else its text. `others` is asked where there are escapes, and of what is
 * deeply nested.
 */
export function jsonValues(
  k: Kernels,
  path: readonly (string | number)[],
  items: TextItems,
  into: LaneDictionary,
  others: (text: string) => string | null,
): TextAnswers {
  const { memory } = k
  const keys = writePath(k, path)
  const known = memory.scratch(items.count)
  const { values } = pieces(k, items, into, (table, given, item, codes) =>
    k.exports.stringsJson(keys, table, given, items.validity, item, items.count, codes, known),
  )
  const owners: number[] = []
  const texts: string[] = []
  for (let item = 0; item < items.count; item++) {
    if (memory.u8[known + item] !== 2) continue
    const found = others(textOf(k, items, item))
    memory.u8[known + item] = found === null ? 0 : 1
    if (found === null) continue
    owners.push(item)
    texts.push(found)
  }
  if (texts.length > 0) {
    const codes = into.internStrings(texts)
    for (const [i, item] of owners.entries()) memory.u32[(values >>> 2) + item] = codes[i]
  }
  return { values, known }
}

/** As assembly/strings/json-path.ts reads it. */
function writePath({ memory }: Kernels, path: readonly (string | number)[]): number {
  const pointer = memory.scratch(4 + 12 * path.length)
  memory.u32[pointer >>> 2] = path.length
  for (const [i, key] of path.entries()) {
    const at = (pointer >>> 2) + 1 + 3 * i
    if (typeof key === 'number') {
      memory.u32.set([1, key, 0], at)
      continue
    }
    const bytes = new TextEncoder().encode(key)
    const name = memory.scratch(bytes.length)
    memory.u8.set(bytes, name)
    // A name with half a character is that of no member, but where it is escaped.
    memory.u32.set([0, /\p{Surrogate}/u.test(key) ? NO_LENGTH : bytes.length, name], at)
  }
  return pointer
}

function pieces(
  k: Kernels,
  items: TextItems,
  into: LaneDictionary,
  step: (table: number, given: number, item: number, codes: number) => number,
): TextAnswers {
  const codes = k.memory.scratch(4 * items.count)
  const given = write(k, items)
  into.internBy(
    items.count,
    (table, item) => step(table, given, item, codes),
    item => bytesOf(k, items, item),
  )
  return { values: codes, known: 0 }
}

/** int32: code points. */
export function lengths(k: Kernels, items: TextItems): TextAnswers {
  const values = k.memory.scratch(4 * items.count)
  k.exports.stringsLength(write(k, items), items.count, values)
  return { values, known: 0 }
}

/** int32: code points before the first place of the second input's string, or -1. */
export function places(k: Kernels, items: TextItems): TextAnswers {
  const values = k.memory.scratch(4 * items.count)
  k.exports.stringsIndexOf(write(k, items), items.count, values)
  return { values, known: 0 }
}

export function has(k: Kernels, where: Where, items: TextItems): TextAnswers {
  const values = k.memory.scratch(items.count)
  k.exports.stringsHas(WHERE[where], write(k, items), items.count, values)
  return { values, known: 0 }
}

/** float64. */
export function numbersOf(k: Kernels, items: TextItems): TextAnswers {
  const values = k.memory.scratch(8 * items.count)
  const known = k.memory.scratch(items.count)
  k.exports.stringsToNumber(write(k, items), items.count, values, known)
  return { values, known }
}

/** Ticks of ISO 8601. */
export function instantsOf(k: Kernels, ticksPerSecond: number, items: TextItems): TextAnswers {
  const values = k.memory.scratch(8 * items.count)
  const known = k.memory.scratch(items.count)
  k.exports.stringsToInstant(BigInt(ticksPerSecond), write(k, items), items.count, values, known)
  return { values, known }
}

/** The string of an item's first input. */
export function textOf(
  { memory }: Kernels,
  { inputs: [{ dictionary, codes, step }] }: TextItems,
  item: number,
): string {
  return dictionary.get(memory.u32[(codes + item * step) >>> 2])
}

function bytesOf({ memory }: Kernels, { inputs: [{ dictionary, codes, step }] }: TextItems, item: number): number {
  const at = (dictionary.offsets >>> 2) + memory.u32[(codes + item * step) >>> 2]
  return memory.u32[at + 1] - memory.u32[at]
}

/** The inputs where kernels read them: assembly/strings/items.ts draws how. Their dictionaries must not grow meanwhile. */
function write({ memory }: Kernels, { inputs }: TextItems): number {
  const pointer = memory.scratch(INPUT_BYTES * inputs.length)
  inputs.forEach(({ dictionary, codes, step }, i) => {
    memory.u32.set([codes, dictionary.offsets, dictionary.bytes, step], (pointer + INPUT_BYTES * i) >>> 2)
  })
  return pointer
}
