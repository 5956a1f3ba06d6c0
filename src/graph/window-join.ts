/**
 * Joins in windows: the rows of both inputs are kept by the window that they are in, and joined when it closes. Then nothing of it is left; or as long as rows may still come for it, all that has come,
 * and each row that comes then meets it.
 */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { isNullAt, type Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import { ticksOf } from '../plan/event-time.js'
import type { Meeting } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import { buildJoin } from './built-join.js'
import { type LiveJoin, type OnLate, picked } from './live-join.js'

type Rows = readonly [RecordBatch[], RecordBatch[]]

interface OpenWindow {
  readonly end: bigint
  /** Of each input, what has been joined already, and what has come since. */
  readonly met: Rows
  readonly fresh: Rows
  rows: number
}

/** Windows that are closed together have so many rows at most, or are one. */
const MOST_ROWS = 65_536

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
  let lateRows = 0
  let size = 0
  const isOneSided = { inner: false, left: true, right: false, full: true, semi: false, anti: true }[stage.how]
  const isOtherSided = stage.how === 'right' || stage.how === 'full'

  function keep(side: number, batch: RecordBatch, at: bigint): void {
    let window = open.get(at)
    if (window === undefined) {
      window = { end: at, met: [[], []], fresh: [[], []], rows: 0 }
      open.set(at, window)
    }
    window.fresh[side as 0 | 1].push(batch)
    window.rows += batch.rowCount
    size += batch.rowCount
  }

  function joined([own, other]: Rows): RecordBatch[] {
    const join = buildJoin(context, stage, left, other)
    try {
      return [...own.flatMap(batch => join.probe(batch)), ...join.rest()]
    } finally {
      join.free()
    }
  }

  /** Windows that close, as many at a time as there is room for. */
  function close(windows: readonly OpenWindow[]): RecordBatch[] {
    const out: RecordBatch[] = []
    let together: OpenWindow[] = []
    let rows = 0
    const flush = () => {
      if (together.length > 0) out.push(...joined(all(together)))
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

  const all = (windows: readonly OpenWindow[]): Rows => {
    const of = (side: 0 | 1) => windows.flatMap(({ fresh }) => fresh[side])
    return [of(0), of(1)]
  }

  /** Whether anything comes of a window. */
  const givesRows = ({ fresh: [own, other] }: OpenWindow): boolean =>
    own.length > 0 ? other.length > 0 || isOneSided : isOtherSided

  /** The pairs of what has come since a window closed. */
  function amend({ met: [own, other], fresh: [newOwn, newOther] }: OpenWindow): RecordBatch[] {
    const everyOther = [...other, ...newOther]
    return [
      ...(newOwn.length > 0 && everyOther.length > 0 ? joined([newOwn, everyOther]) : []),
      ...(own.length > 0 && newOther.length > 0 ? joined([own, newOther]) : []),
    ]
  }

  function settle({ met, fresh }: OpenWindow): void {
    for (const side of [0, 1] as const) met[side].push(...fresh[side].splice(0))
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
      for (const [closes, mine] of byWindow)
        keep(side, picked(batch, mine.length === batch.rowCount ? null : Uint32Array.from(mine)), closes)
      return []
    },
    advance(to, isEnd) {
      const due = [...open.values()].filter(({ end: at }) => isEnd || at <= to)
      if (due.length === 0) return []
      due.sort((a, b) => (a.end < b.end ? -1 : 1))
      const hasMet = ({ met: [own, other] }: OpenWindow) => own.length + other.length > 0
      const out = [...close(due.filter(window => !hasMet(window))), ...due.filter(hasMet).flatMap(amend)]
      for (const window of due) {
        if (!isEnd && window.end + lateness > to) settle(window)
        else if (open.delete(window.end)) size -= window.rows
      }
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
