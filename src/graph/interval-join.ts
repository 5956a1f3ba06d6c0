/**
 * Joins within an interval: a row meets those of the other input that have come before it, and those that come after meet it (partners.ts). A left row that has had no partner, where those come too, waits until none
 * can come.
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { type DataType, int64, type SchemaShape } from '../columnar/type.js'
import { isNullAt, makeVector, type Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import { ticksOf } from '../plan/event-time.js'
import type { Meeting } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import { buildJoin, columnsOf } from './built-join.js'
import { type LiveJoin, type OnLate, othersThan, picked, rowsWhere } from './live-join.js'
import { createPartners, ID } from './partners.js'
import { createWaiting } from './waiting.js'

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
  // How far behind a row its partners may be: of a left one, and of a right one.
  const partners = createPartners(context, stage, left, [leftTime, rightTime], [upper, -lower])
  const met = new Set<bigint>()
  /** Left rows that may yet be without a partner. */
  const waiting = createWaiting(Object.keys(partners.left).indexOf(leftTime))
  let nextId = 0n
  let lateRows = 0

  /** Rows of one side beside those of the other that have come. */
  function pairs(side: 0 | 1, batch: RecordBatch): RecordBatch[] {
    const out = partners.pairs(side, batch)
    if (isOuter)
      for (const each of out) {
        const ids = each.vectors[Object.keys(each.schema).indexOf(ID)] as Vector
        for (let row = 0; row < each.rowCount; row++) met.add(ids.data[row] as bigint)
      }
    return out.map(each => columnsOf(each, stage.output))
  }

  function numbered(batch: RecordBatch): RecordBatch {
    const ids = BigInt64Array.from({ length: batch.rowCount }, () => nextId++)
    return new RecordBatch(
      partners.left,
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
      const batch = isOuter && side === 0 ? numbered(kept) : kept
      const out = [...alone(timeless), ...pairs(side as 0 | 1, batch)]
      partners.add(side as 0 | 1, batch)
      if (isOuter && side === 0) waiting.add(batch)
      return out
    },
    advance(to, isEnd) {
      const out = isOuter ? lone(time => isEnd || time + upper < to) : []
      if (isEnd) partners.free()
      else partners.advance(to)
      return out
    },
    get lateRows() {
      return lateRows
    },
    get size() {
      return partners.size
    },
    hold: upper > 0n ? upper : 0n,
    free: partners.free,
  }
}

function withoutTime(batch: RecordBatch, time: Vector): RecordBatch[] {
  if (time.nullCount === 0) return []
  const rows: number[] = []
  for (let row = 0; row < batch.rowCount; row++) if (isNullAt(time, row)) rows.push(row)
  return [picked(batch, Uint32Array.from(rows))]
}
