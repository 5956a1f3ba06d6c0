/** The best rows of each key of several groups, each of which has its own in order: of a window that is put together of panes, for live-top.ts. */
import type { KeptRow, KeptRows } from './kept-rows.js'

interface Best {
  /** Below how many keys there are. */
  readonly key: number
  readonly rows: readonly KeptRow[]
  /** The place of the first row. */
  readonly order: number
}

export interface TopTogether {
  of(parts: readonly ReadonlyMap<number, Best>[], keyCount: number): Iterable<Best>
}

/** @param count how many rows a key has, at most */
export function createTopTogether(kept: Pick<KeptRows, 'compare'>, count: number): TopTogether {
  /** By key, between two calls -1: which of those found is its. */
  let seats = new Int32Array(0)

  function bestOf(a: readonly KeptRow[], b: readonly KeptRow[]): readonly KeptRow[] {
    const worst = a[count - 1]
    if (b.length === 0 || (worst !== undefined && kept.compare(worst, b[0] as KeptRow) < 0)) return a
    const rows: KeptRow[] = []
    for (let [i, j] = [0, 0]; rows.length < count && i + j < a.length + b.length; ) {
      const isFirst = j === b.length || (i < a.length && kept.compare(a[i] as KeptRow, b[j] as KeptRow) < 0)
      rows.push((isFirst ? a[i++] : b[j++]) as KeptRow)
    }
    return rows
  }

  return {
    of(parts, keyCount) {
      const some = parts.filter(({ size }) => size > 0)
      const [only] = some
      if (only !== undefined && some.length === 1) return only.values()
      if (seats.length <= keyCount) seats = new Int32Array(2 * keyCount + 1).fill(-1)
      const found: { key: number; rows: readonly KeptRow[]; order: number }[] = []
      for (const part of some) {
        for (const { key, rows, order } of part.values()) {
          const known = found[seats[key] as number]
          if (known === undefined) seats[key] = found.push({ key, rows, order }) - 1
          else {
            known.rows = bestOf(known.rows, rows)
            known.order = Math.min(known.order, order)
          }
        }
      }
      for (const { key } of found) seats[key] = -1
      return found
    },
  }
}
