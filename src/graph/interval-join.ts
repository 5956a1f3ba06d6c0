/**
 * Joins within an interval: a row meets those of the other input that have come before it, and those that come after meet it. Rows are kept in segments, each with an
 * index of its own; a segment is put together with one that is not much larger, so that a row is indexed a few times only. It goes when the watermark is past all of its partners.
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { schemaOf } from '../columnar/schema.js'
import { type DataType, int64, type SchemaShape } from '../columnar/type.js'
import { isNullAt, makeVector, type Vector } from '../columnar/vector.js'
import type { Expression } from '../expressions/node.js'
import { substitute } from '../expressions/walk.js'
import type { OperatorContext } from '../operators/build.js'
import { columnOf } from '../plan/build.js'
import { ticksOf } from '../plan/event-time.js'
import type { Meeting } from '../plan/logical.js'
import { LEFT, RIGHT } from '../plan/pair-columns.js'
import type { JoinStage } from '../plan/physical.js'
import { type BuiltJoin, buildJoin, columnsOf } from './built-join.js'
import { endToEnd, type LiveJoin, type OnLate, othersThan, picked, rowsWhere } from './live-join.js'
import { createWaiting } from './waiting.js'

/** Which left row it is, for those that have had no partner. */
const ID = '#id'
/** Before the name of a column of the right side that the result does not have. */
const OTHER = '#right '

interface Segment {
  readonly rows: RecordBatch
  /** The latest time. */
  readonly most: bigint
  index: BuiltJoin | null
}

export function createIntervalJoin(
  context: OperatorContext,
  stage: JoinStage,
  left: SchemaShape,
  meets: Extract<Meeting, { readonly lower: string }>,
  onLate: OnLate,
): LiveJoin {
  const { left: leftTime, right: rightTime } = meets
  const [lower, upper] = [meets.lower, meets.upper].map(each =>
    ticksOf(each, left[leftTime] as DataType, stage.verb),
  ) as [bigint, bigint]
  const isOuter = stage.how === 'left'
  const [own, other] = pairStages(stage, left)
  const times = [Object.keys(own.left).indexOf(leftTime), Object.keys(own.stage.right).indexOf(other.nameOf(rightTime))]
  const segments: [Segment[], Segment[]] = [[], []]
  /** How far behind a row its partners may be: of a left one, and of a right one. */
  const reach = [upper, -lower]
  let past = -(2n ** 63n)
  const met = new Set<bigint>()
  /** Left rows that may yet be without a partner. */
  const waiting = createWaiting(times[0] as number)
  let nextId = 0n
  let lateRows = 0

  const free = (side: readonly Segment[]) => {
    for (const { index } of side) index?.free()
  }

  /** Rows of one side beside those of the other that have come. */
  function pairs(side: 0 | 1, batch: RecordBatch): RecordBatch[] {
    const probing = side === 0 ? own : other
    const out = segments[(1 - side) as 0 | 1].flatMap(segment => {
      segment.index ??= buildJoin(context, probing.stage, probing.left, [segment.rows])
      return segment.index.probe(batch)
    })
    if (isOuter)
      for (const each of out) {
        const ids = each.vectors[Object.keys(each.schema).indexOf(ID)] as Vector
        for (let row = 0; row < each.rowCount; row++) met.add(ids.data[row] as bigint)
      }
    return out.map(each => columnsOf(each, stage.output))
  }

  function add(side: 0 | 1, batch: RecordBatch): void {
    const mine = segments[side]
    let added = segmentOf(batch, times[side] as number)
    for (let last = mine.at(-1); last && last.rows.rowCount < 2 * added.rows.rowCount; last = mine.at(-1)) {
      mine.pop()
      last.index?.free()
      added = together(last, added)
      // Those that have had all their partners go when the others are indexed anew.
      const rows = rowsWhere(
        added.rows.vectors[times[side] as number] as Vector,
        time => time + (reach[side] as bigint) >= past,
      )
      if (rows?.length === 0) return
      if (rows !== null) added = segmentOf(picked(added.rows, rows), times[side] as number)
    }
    mine.push(added)
  }

  function numbered(batch: RecordBatch): RecordBatch {
    const ids = BigInt64Array.from({ length: batch.rowCount }, () => nextId++)
    return new RecordBatch(
      own.left,
      [...columnsOf(batch, left).vectors, makeVector(int64(), batch.rowCount, ids)],
      batch.rowCount,
    )
  }

  /** Left rows whose partners would all have come, and have not. */
  function lone(isPast: (time: bigint) => boolean): RecordBatch[] {
    const out = waiting.take(isPast).flatMap(batch => {
      const ids = (batch.vectors.at(-1) as Vector).data as BigInt64Array
      const rows: number[] = []
      for (let row = 0; row < batch.rowCount; row++) if (!met.delete(ids[row] as bigint)) rows.push(row)
      return rows.length === 0 ? [] : [picked(batch, Uint32Array.from(rows))]
    })
    return alone(out)
  }

  /** With nulls for the columns of the right side. */
  function alone(batches: readonly RecordBatch[]): RecordBatch[] {
    if (batches.length === 0) return []
    const join = buildJoin(context, stage, left, [])
    try {
      return batches.flatMap(batch => join.probe(batch))
    } finally {
      join.free()
    }
  }

  return {
    push(side, given, marks) {
      const time = given.vectors[Object.keys(given.schema).indexOf(side === 0 ? leftTime : rightTime)] as Vector
      const rows = rowsWhere(time, (at, row) => at >= (marks[row] as bigint))
      const kept = picked(given, rows)
      lateRows += given.rowCount - kept.rowCount
      // A row without a time has no partner, and need not wait.
      const timeless = isOuter && side === 0 ? withoutTime(columnsOf(given, left), time) : []
      lateRows -= timeless.reduce((sum, { rowCount }) => sum + rowCount, 0)
      if (rows !== null) {
        const refused = othersThan(rows, given.rowCount)
        const late = isOuter && side === 0 ? refused.filter(row => !isNullAt(time, row)) : refused
        if (late.length > 0) onLate(side, picked(given, late))
      }
      if (kept.rowCount === 0) return alone(timeless)
      const batch =
        side === 1
          ? new RecordBatch(other.left, columnsOf(kept, stage.right).vectors, kept.rowCount)
          : isOuter
            ? numbered(kept)
            : columnsOf(kept, own.left)
      const out = [...alone(timeless), ...pairs(side as 0 | 1, batch)]
      add(side as 0 | 1, batch)
      if (isOuter && side === 0) waiting.add(batch)
      return out
    },
    advance(to, isEnd) {
      const out = isOuter ? lone(time => isEnd || time + upper < to) : []
      past = to
      for (const [side, far] of reach.entries()) {
        const mine = segments[side as 0 | 1]
        const over = mine.filter(({ most }) => isEnd || most + far < to)
        if (over.length === 0) continue
        free(over)
        segments[side as 0 | 1] = mine.filter(segment => !over.includes(segment))
      }
      return out
    },
    get lateRows() {
      return lateRows
    },
    get size() {
      return segments.flat().reduce((sum, { rows }) => sum + rows.rowCount, 0)
    },
    hold: upper > 0n ? upper : 0n,
    free() {
      for (const side of segments) free(side)
      segments[0] = []
      segments[1] = []
    },
  }
}

function withoutTime(batch: RecordBatch, time: Vector): RecordBatch[] {
  if (time.nullCount === 0) return []
  const rows: number[] = []
  for (let row = 0; row < batch.rowCount; row++) if (isNullAt(time, row)) rows.push(row)
  return [picked(batch, Uint32Array.from(rows))]
}

function segmentOf(rows: RecordBatch, column: number): Segment {
  const data = (rows.vectors[column] as Vector).data as BigInt64Array
  let most = data[0] as bigint
  for (let row = 1; row < rows.rowCount; row++) if ((data[row] as bigint) > most) most = data[row] as bigint
  return { rows, most, index: null }
}

const together = (a: Segment, b: Segment): Segment => ({
  rows: endToEnd([a.rows, b.rows]),
  most: a.most > b.most ? a.most : b.most,
  index: null,
})

interface PairStage {
  readonly stage: JoinStage
  /** Columns of the rows that are looked up with. */
  readonly left: SchemaShape
  /** What a column of the right side is called in it. */
  nameOf(column: string): string
}

/** The inner join of pairs, looked up from either side; what comes out has the columns of the result, under their names, and which left row it was. */
function pairStages(stage: JoinStage, given: SchemaShape): [PairStage, PairStage] {
  const left = schemaOf([...fields(given), ...(stage.how === 'left' ? [{ name: ID, type: int64() }] : [])])
  const nameOf = (column: string) => stage.taken.find(each => each.column === column)?.name ?? OTHER + column
  const right = schemaOf(fields(stage.right).map(({ name, type }) => ({ name: nameOf(name), type })))
  const taken = fields(right).map(({ name }) => ({ name, column: name }))
  const keys = stage.keys.map(key => ({ left: key.left, right: nameOf(key.right) }))
  const both = { ...stage, how: 'inner', output: schemaOf([...fields(left), ...fields(right)]) } as const
  const named = (isSwapped: boolean) => (name: string) => {
    const isLeft = name.startsWith(LEFT)
    const column = isLeft ? name.slice(LEFT.length) : nameOf(name.slice(RIGHT.length))
    return columnOf((isLeft !== isSwapped ? LEFT : RIGHT) + column)
  }
  const renamed = (isSwapped: boolean) => ({
    where: stage.where && substitute(stage.where, named(isSwapped)),
    reads: stage.reads.map(name => (named(isSwapped)(name) as Expression & { name: string }).name),
  })
  const swapped = keys.map(key => ({ left: key.right, right: key.left }))
  const mine = fields(left).map(({ name }) => ({ name, column: name }))
  return [
    { stage: { ...both, ...renamed(false), right, keys, taken }, left, nameOf },
    { stage: { ...both, ...renamed(true), right: left, keys: swapped, taken: mine }, left: right, nameOf },
  ]
}

const fields = (schema: SchemaShape): { readonly name: string; readonly type: DataType }[] =>
  Object.entries(schema).map(([name, type]) => ({ name, type: type as DataType }))
