/**
 * Joins in windows: the rows of both inputs are kept by the window that they are in, and joined when it closes. Then nothing of it is left; or as long as rows may still come for it, all that has come
 * (partners.ts), and each row that comes then meets it.
 */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { isNullAt, type Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import { createLeastTime } from '../operators/least-time.js'
import { ticksOf } from '../plan/event-time.js'
import type { Meeting } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import { buildJoin, columnsOf } from './built-join.js'
import { appendTo, type LiveJoin, type OnLate, picked } from './live-join.js'
import { createPartners } from './partners.js'

interface OpenWindow {
  readonly end: bigint
  /** What has come of each input. */
  readonly batches: readonly [RecordBatch[], RecordBatch[]]
  rows: number
}

/** Windows that are closed together have so many rows at most, or are one. */
const MOST_ROWS = 65_536
const LEAST = -(2n ** 63n)

export function createWindowJoin(
  context: OperatorContext,
  stage: JoinStage,
  left: SchemaShape,
  meets: Extract<Meeting, { readonly end: string }>,
  onLate: OnLate,
): LiveJoin {
  const schemas = [left, stage.right]
  const placesOf = (name: (side: number) => string) =>
    schemas.map((schema, side) => Object.keys(schema).indexOf(name(side))) as [number, number]
  const [starts, ends] = [placesOf(() => meets.start), placesOf(() => meets.end)]
  const times = placesOf(side => meets.times[side] as string)
  const type = left[meets.end] as DataType
  const lateness = meets.allowedLateness === null ? 0n : ticksOf(meets.allowedLateness, type, 'window')
  const isLast = lastWindow(meets, type)
  const open = new Map<bigint, OpenWindow>()
  const closing = createLeastTime<OpenWindow>()
  /** Rows of windows that have closed, as long as the watermark has not gone past these by the lateness: others may come that meet them. */
  const closed =
    lateness === 0n
      ? null
      : createPartners(context, stage, left, [meets.end, meets.end], [lateness - 1n, lateness - 1n])
  let closedUpTo = LEAST
  let lateRows = 0
  let size = 0
  const isOneSided = { inner: false, left: true, right: false, full: true, semi: false, anti: true }[stage.how]
  const isOtherSided = stage.how === 'right' || stage.how === 'full'

  function keep(side: 0 | 1, batch: RecordBatch, at: bigint): void {
    let window = open.get(at)
    if (window === undefined) {
      window = { end: at, batches: [[], []], rows: 0 }
      open.set(at, window)
      closing.add(window, at)
    }
    appendTo(window.batches[side], batch)
    window.rows += batch.rowCount
    size += batch.rowCount
  }

  /** Windows that close, as many at a time as there is room for. */
  function close(windows: readonly OpenWindow[]): RecordBatch[] {
    const out: RecordBatch[] = []
    let together: OpenWindow[] = []
    let rows = 0
    const flush = () => {
      if (together.length > 0) out.push(...joined(together))
      together = []
      rows = 0
    }
    for (const window of windows) {
      if (!givesRows(window)) continue
      // Rows of the other side that nobody met come last, and may not come behind those of a later window.
      if (rows > 0 && (isOtherSided || rows + window.rows > MOST_ROWS)) flush()
      together.push(window)
      rows += window.rows
    }
    flush()
    return out
  }

  function joined(windows: readonly OpenWindow[]): RecordBatch[] {
    const join = buildJoin(context, stage, left, rowsOf(windows, 1))
    try {
      return [...rowsOf(windows, 0).flatMap(batch => join.probe(batch)), ...join.rest()]
    } finally {
      join.free()
    }
  }

  const rowsOf = (windows: readonly OpenWindow[], side: 0 | 1): RecordBatch[] =>
    windows.flatMap(({ batches }) => batches[side])

  /** Whether anything comes of a window. */
  const givesRows = ({ batches: [own, other] }: OpenWindow): boolean =>
    own.length > 0 ? other.length > 0 || isOneSided : isOtherSided

  /** What rows of a window that has closed meet there, where they are from then on. */
  function amend(side: 0 | 1, batch: RecordBatch): RecordBatch[] {
    if (closed === null) throw new Error('rows come for a window that is over')
    const out = closed.pairs(side, batch).map(each => columnsOf(each, stage.output))
    closed.add(side, batch)
    return out
  }

  return {
    push(side, batch, marks) {
      const [start, end, time] = [starts, ends, times].map(places => batch.vectors[places[side] as number]) as [
        Vector,
        Vector,
        Vector,
      ]
      const [from, to, at] = [start, end, time].map(({ data }) => data as BigInt64Array) as [
        BigInt64Array,
        BigInt64Array,
        BigInt64Array,
      ]
      const byWindow = new Map<bigint, number[]>()
      const late: number[] = []
      for (let row = 0; row < batch.rowCount; row++) {
        const closes = to[row] as bigint
        if (isNullAt(end, row)) late.push(row)
        else if ((marks[row] as bigint) >= closes + lateness) {
          if (isLast(from[row] as bigint, closes, at[row] as bigint)) late.push(row)
        } else {
          const found = byWindow.get(closes)
          if (found === undefined) byWindow.set(closes, [row])
          else found.push(row)
        }
      }
      lateRows += late.length
      if (late.length > 0) onLate(side, picked(batch, Uint32Array.from(late)))
      return [...byWindow].flatMap(([closes, mine]) => {
        const rows = picked(batch, mine.length === batch.rowCount ? null : Uint32Array.from(mine))
        if (closes <= closedUpTo) return amend(side as 0 | 1, rows)
        keep(side as 0 | 1, rows, closes)
        return []
      })
    },
    advance(to, isEnd) {
      closedUpTo = to
      const over = closing.take(isEnd ? null : to)
      const out = close(over)
      for (const window of over) {
        open.delete(window.end)
        size -= window.rows
      }
      const mayHaveRows = over.filter(({ end: at }) => !isEnd && at + lateness > to)
      for (const side of [0, 1] as const) for (const rows of rowsOf(mayHaveRows, side)) closed?.add(side, rows)
      if (isEnd) closed?.free()
      else closed?.advance(to)
      return out
    },
    get lateRows() {
      return lateRows
    },
    get size() {
      return size + (closed?.size ?? 0)
    },
    hold: 0n,
    free() {
      open.clear()
      closing.clear()
      closed?.free()
    },
  }
}

/** Whether a window is the last that its row is in: of rows that are late for all theirs each is counted once. */
function lastWindow(
  { spec }: Extract<Meeting, { readonly end: string }>,
  type: DataType,
): (start: bigint, end: bigint, time: bigint) => boolean {
  if (spec.kind === 'sliding') {
    const every = ticksOf(spec.every, type, spec.kind)
    return (start, _, time) => time - start < every
  }
  if (spec.kind === 'cumulative') {
    const size = ticksOf(spec.size, type, spec.kind)
    return (start, end) => end - start === size
  }
  return () => true
}
