/** When rows of a queue came: noted for the first of some, so that a push costs next to nothing. Rows are told by their place among all that came. */

/** Rows that share a note at most. */
const ROWS_A_NOTE = 1024

export interface Arrivals {
  /** So many rows come, the first at place `row`; all before it have been taken where `isEmpty`. */
  note(row: number, count: number, isEmpty: boolean): void
  /** When row `row`, or one shortly before it, came; rows before it are not asked for again. */
  of(row: number): number
}

/** @param now what rows that are here already have come by */
export function createArrivals(now: () => number): Arrivals {
  const rows: number[] = []
  const times: number[] = []
  const began = now()
  let next = 0
  return {
    note(row, count, isEmpty) {
      if (row + count <= next && !isEmpty) return
      next = row + ROWS_A_NOTE
      rows.push(row)
      times.push(now())
    },
    of(row) {
      let at = 0
      while (at + 1 < rows.length && (rows[at + 1] as number) <= row) at++
      rows.splice(0, at)
      times.splice(0, at)
      return rows.length === 0 || (rows[0] as number) > row ? began : (times[0] as number)
    },
  }
}
