/** Hashes of a join's keys, by which rows of both sides are parted: equal keys have equal ones, in every lane of an engine. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { Kernels } from '../kernels/instance.js'
import { keyWords } from '../kernels/join-keys.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { JoinStage } from '../plan/physical.js'

/** Where a key is in the rows of either side. */
export type HashedKey = Readonly<Record<'left' | 'right', { readonly column: number; readonly type: DataType }>>

export function hashedKeys({ keys, right }: JoinStage, input: SchemaShape): HashedKey[] {
  const names = Object.keys(input)
  const sideNames = Object.keys(right)
  return keys.map(key => ({
    left: { column: names.indexOf(key.left), type: input[key.left] },
    right: { column: sideNames.indexOf(key.right), type: right[key.right] },
  }))
}

/** 31 bits a row (i32 pointer), in scratch; of rows with a key that is null any. */
export function keyHashes(k: Kernels, keys: readonly HashedKey[], batch: LaneBatch, side: 'left' | 'right'): number {
  const { memory } = k
  const { rowCount } = batch
  const hashes = memory.scratch(4 * rowCount + 4)
  const mark = memory.mark()
  memory.u32.fill(0, hashes >>> 2, (hashes >>> 2) + rowCount)
  for (const key of keys) {
    const column = batch.columns[key[side].column]
    if (column.type.kind === 'utf8') {
      if (column.dictionary === null) continue
      const lut = column.dictionary.hashes() >>> 2
      const { u32 } = memory
      const codes = column.data >>> 2
      for (let i = 0, at = hashes >>> 2; i < rowCount; i++, at++) u32[at] = mixed(u32[at], u32[lut + u32[codes + i]])
    } else {
      const words = keyWords(k, column, key[side === 'left' ? 'right' : 'left'].type, null).words >>> 2
      const { u32 } = memory
      for (let i = 0, at = hashes >>> 2; i < rowCount; i++, at++)
        u32[at] = mixed(mixed(u32[at], u32[words + 2 * i]), u32[words + 2 * i + 1])
    }
    memory.reset(mark)
  }
  for (let at = hashes >>> 2, end = at + rowCount; at < end; at++) memory.u32[at] = spread(memory.u32[at] ^ k.seed)
  return hashes
}

const mixed = (hash: number, word: number): number => {
  const h = Math.imul(hash ^ word, 0x85ebca6b)
  return (h ^ (h >>> 15)) >>> 0
}

/** 31 bits, so that they are ascending as int32. */
const spread = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 13), 0x9e3779b1)
  return (h ^ (h >>> 16)) >>> 1
}
