/** Rows of two batches of the same columns, compared bit by bit: what has not changed is not told. */
import type { DataType } from '../columnar/type.js'
import { createGroupTable } from '../kernels/group.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { elementBytes } from '../kernels/operand.js'

/**
 * Per row of `a`: 1 where columns [from, to) are as those of row `rows[i]` of `b`. Strings are the same where their codes are, and their dictionary; a NaN is as itself, and -0 is not 0.
 */
export function sameRows(
  k: Kernels,
  a: LaneBatch,
  b: LaneBatch,
  rows: ArrayLike<number>,
  from: number,
  to: number,
): Uint8Array {
  const same = new Uint8Array(a.rowCount).fill(1)
  let left = a.rowCount
  for (let c = from; c < to && left > 0; c++) {
    const isSame = comparison(k, a.columns[c] as LaneVector, b.columns[c] as LaneVector)
    for (let row = 0; row < a.rowCount; row++) {
      if (same[row] === 0 || isSame(row, rows[row] as number)) continue
      same[row] = 0
      left--
    }
  }
  return same
}

/**
 * Per row of `was`: 1 where `now` has a row with the same keys, which are the first columns, and the same results, which are the others but the last. Keys are there once in either. `same` is
 * told of the row of `now` too.
 */
export function sameGroups(
  k: Kernels,
  was: LaneBatch,
  now: LaneBatch,
  keyTypes: readonly DataType[],
  same: Uint8Array,
): Uint8Array {
  const { memory } = k
  const mark = memory.mark()
  // More slots than it has would number groups otherwise than they come.
  const groups = createGroupTable(k, keyTypes, 0)
  const find = ({ rowCount, columns }: LaneBatch): Uint32Array => {
    const keys = columns.slice(0, keyTypes.length).map(column => ({ ...column, range: null }))
    groups.cover(keys, rowCount)
    const found = groups.find(keys, rowCount) >>> 2
    return memory.u32.slice(found, found + rowCount)
  }
  try {
    // Each is there once, so they are numbered as they lie.
    find(now)
    const places = find(was)
    const isThere = (place: number) => place < now.rowCount
    const rows = places.map(place => (isThere(place) ? place : 0))
    const found = sameRows(k, was, now, rows, keyTypes.length, was.columns.length - 1)
    for (const [row, place] of places.entries()) {
      if (!isThere(place)) found[row] = 0
      else if (found[row] === 1) same[place] = 1
    }
    return found
  } finally {
    groups.free()
    memory.reset(mark)
  }
}

/** Whether an element of the one column is that of the other. */
function comparison(k: Kernels, a: LaneVector, b: LaneVector): (i: number, j: number) => boolean {
  const { u8 } = k.memory
  const values = valuesOf(k, a, b)
  if (a.validity === 0 && b.validity === 0) return values
  const isThere = ({ validity }: LaneVector, i: number): boolean =>
    validity === 0 || (((u8[validity + (i >>> 3)] as number) >>> (i & 7)) & 1) === 1
  return (i, j) => {
    const is = isThere(a, i)
    return is === isThere(b, j) && (!is || values(i, j))
  }
}

function valuesOf(k: Kernels, a: LaneVector, b: LaneVector): (i: number, j: number) => boolean {
  const { u8, u32 } = k.memory
  if (a.child && b.child) {
    const items = comparison(k, a.child, b.child)
    const [mine, theirs] = [a.data >>> 2, b.data >>> 2]
    return (i, j) => {
      const at = u32[mine + i] as number
      const other = u32[theirs + j] as number
      const count = (u32[mine + i + 1] as number) - at
      if ((u32[theirs + j + 1] as number) - other !== count) return false
      for (let item = 0; item < count; item++) if (!items(at + item, other + item)) return false
      return true
    }
  }
  if (a.dictionary !== b.dictionary) return () => false
  const width = elementBytes(a.type.kind)
  if (width === 0) {
    const bit = (data: number, i: number) => ((u8[data + (i >>> 3)] as number) >>> (i & 7)) & 1
    return (i, j) => bit(a.data, i) === bit(b.data, j)
  }
  const [mine, theirs] = [a.data >>> 2, b.data >>> 2]
  if (width === 4) return (i, j) => u32[mine + i] === u32[theirs + j]
  if (width === 8)
    return (i, j) => u32[mine + 2 * i] === u32[theirs + 2 * j] && u32[mine + 2 * i + 1] === u32[theirs + 2 * j + 1]
  return (i, j) => {
    for (let byte = 0; byte < width; byte++)
      if (u8[a.data + width * i + byte] !== u8[b.data + width * j + byte]) return false
    return true
  }
}
