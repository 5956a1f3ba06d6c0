/** Joins in windows: the rows of both inputs are kept by the window that they are in, and joined when it closes. Then nothing of it is left. */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { SchemaShape } from '../columnar/type.js'
import type { Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import type { JoinStage } from '../plan/physical.js'
import { buildJoin } from './built-join.js'
import { type LiveJoin, picked, rowsWhere } from './live-join.js'

interface OpenWindow {
  readonly end: bigint
  readonly sides: readonly [RecordBatch[], RecordBatch[]]
  rows: number
}

/** Windows that are closed together have so many rows at most, or are one. */
const MOST_ROWS = 65_536

/** @param end the column that has the end of the window a row is in, null where it is in none */
export function createWindowJoin(context: OperatorContext, stage: JoinStage, left: SchemaShape, end: string): LiveJoin {
  const places = [left, stage.right].map(schema => Object.keys(schema).indexOf(end))
  const open = new Map<bigint, OpenWindow>()
  let lateRows = 0
  let size = 0
  const isOneSided = { inner: false, left: true, right: false, full: true, semi: false, anti: true }[stage.how]
  const isOtherSided = stage.how === 'right' || stage.how === 'full'

  function keep(side: number, batch: RecordBatch, at: bigint): void {
    let window = open.get(at)
    if (window === undefined) {
      window = { end: at, sides: [[], []], rows: 0 }
      open.set(at, window)
    }
    window.sides[side as 0 | 1].push(batch)
    window.rows += batch.rowCount
    size += batch.rowCount
  }

  function joined(windows: readonly OpenWindow[]): RecordBatch[] {
    const [own, other] = [0, 1].map(side => windows.flatMap(({ sides }) => sides[side as 0 | 1]))
    const join = buildJoin(context, stage, left, other as RecordBatch[])
    try {
      return [...(own as RecordBatch[]).flatMap(batch => join.probe(batch)), ...join.rest()]
    } finally {
      join.free()
    }
  }

  /** Whether anything comes of a window. */
  const givesRows = ({ sides: [own, other] }: OpenWindow): boolean =>
    own.length > 0 ? other.length > 0 || isOneSided : isOtherSided

  return {
    push(side, batch, marks) {
      const ends = batch.vectors[places[side] as number] as Vector
      const rows = rowsWhere(ends, (at, row) => (marks[row] as bigint) < at)
      lateRows += rows === null ? 0 : batch.rowCount - rows.length
      const byWindow = new Map<bigint, number[]>()
      const data = ends.data as BigInt64Array
      for (let i = 0; i < (rows?.length ?? batch.rowCount); i++) {
        const row = rows === null ? i : (rows[i] as number)
        const found = byWindow.get(data[row] as bigint)
        if (found === undefined) byWindow.set(data[row] as bigint, [row])
        else found.push(row)
      }
      for (const [at, mine] of byWindow)
        keep(side, picked(batch, mine.length === batch.rowCount ? null : Uint32Array.from(mine)), at)
      return []
    },
    advance(to, isEnd) {
      const closed = [...open.values()].filter(({ end: at }) => isEnd || at <= to)
      if (closed.length === 0) return []
      closed.sort((a, b) => (a.end < b.end ? -1 : 1))
      for (const { end: at, rows } of closed) {
        open.delete(at)
        size -= rows
      }
      const out: RecordBatch[] = []
      let together: OpenWindow[] = []
      let rows = 0
      const flush = () => {
        if (together.length > 0) out.push(...joined(together))
        together = []
        rows = 0
      }
      for (const window of closed.filter(givesRows)) {
        if (rows > 0 && rows + window.rows > MOST_ROWS) flush()
        together.push(window)
        rows += window.rows
      }
      flush()
      return out
    },
    get lateRows() {
      return lateRows
    },
    get size() {
      return size
    },
    hold: 0n,
    free() {
      open.clear()
    },
  }
}
