/**
 * Functions that JavaScript computes, string by string. Null items are not asked for, and have code 0 or a value of 0; nor are strings of more than `most`
 * UTF-16 units, which are told as refused.
 */
import type { Kernels } from '../../kernels/instance.js'
import { type TextAnswers, type TextItems, textOf } from '../../kernels/strings.js'
import type { LaneDictionary } from '../../kernels/text.js'

/** Strings: null where there is none. */
export function strings(
  k: Kernels,
  items: TextItems,
  into: LaneDictionary,
  of: (text: string) => string | null,
  most = Infinity,
): TextAnswers {
  const { memory } = k
  const values = memory.scratch(4 * items.count)
  const known = memory.scratch(items.count)
  const texts: string[] = []
  const owners: number[] = []
  memory.u32.fill(0, values >>> 2, (values >>> 2) + items.count)
  memory.bytes(known, items.count).fill(0)
  const refused = eachText(k, items, most, (text, item) => {
    const found = of(text)
    if (found !== null) {
      memory.u8[known + item] = 1
      texts.push(found)
      owners.push(item)
    }
  })
  const codes = into.internStrings(texts)
  for (const [i, item] of owners.entries()) memory.u32[(values >>> 2) + item] = codes[i]
  return { values, known, refused }
}

export function truths(k: Kernels, items: TextItems, of: (text: string) => boolean, most = Infinity): TextAnswers {
  const values = k.memory.scratch(items.count)
  k.memory.bytes(values, items.count).fill(0)
  const refused = eachText(k, items, most, (text, item) => {
    k.memory.u8[values + item] = of(text) ? 1 : 0
  })
  return { values, known: 0, refused }
}

export function ticks(k: Kernels, items: TextItems, of: (text: string) => bigint | null): TextAnswers {
  const { memory } = k
  const values = memory.scratch(8 * items.count)
  const known = memory.scratch(items.count)
  memory.i64.fill(0n, values >>> 3, (values >>> 3) + items.count)
  memory.bytes(known, items.count).fill(0)
  eachText(k, items, Infinity, (text, item) => {
    const found = of(text)
    if (found === null) return
    memory.i64[(values >>> 3) + item] = found
    memory.u8[known + item] = 1
  })
  return { values, known }
}

function eachText(k: Kernels, items: TextItems, most: number, use: (text: string, item: number) => void): number[] {
  const { count, validity } = items
  const refused: number[] = []
  for (let item = 0; item < count; item++) {
    if (validity !== 0 && ((k.memory.u8[validity + (item >>> 3)] >>> (item & 7)) & 1) === 0) continue
    const text = textOf(k, items, item)
    if (text.length <= most) use(text, item)
    else refused.push(item)
  }
  return refused
}
