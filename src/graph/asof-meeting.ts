/**
 * `asofJoin` to rows that change: a left row waits until the watermark is past its time, and then takes the last row of the other side that is not after it. Of that side what is kept
 * for each key is its last row before all left rows that may yet come, and those after it. Rows are in segments as those of interval-join.ts; a left row asks each.
 */
import { concatVectors } from '../columnar/concat.js'
import { gatherVector } from '../columnar/gather.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { isNullAt, type Vector } from '../columnar/vector.js'
import type { OperatorContext } from '../operators/build.js'
import type { AsofJoin } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import { type BuiltJoin, buildJoin, columnsOf } from './built-join.js'
import { endToEnd, type LiveJoin, picked, rowsWhere } from './live-join.js'
import { createWaiting } from './waiting.js'

/** The time of the other row, by which those of several segments are compared. */
const TIME = '#time'
const LEAST = -(2n ** 63n)

interface Segment {
  readonly rows: RecordBatch
  /** Its latest time, if whoever asks may yet ask for something before it. */
  readonly most: bigint | null
  index: BuiltJoin | null
}

export function createAsofMeeting(context: OperatorContext, stage: JoinStage, left: SchemaShape): LiveJoin {
  const asof = stage.asof as AsofJoin
  const timeOf = (batch: RecordBatch, name: string) => batch.vectors[Object.keys(batch.schema).indexOf(name)] as Vector
  const probing = withTime(stage, asof)
  const keys = stage.keys.map(({ right }) => Object.keys(stage.right).indexOf(right))
  const waiting = createWaiting(Object.keys(left).indexOf(asof.left))
  let segments: Segment[] = []
  let none: BuiltJoin | null = null
  let lateRows = 0
  /** All left rows that may yet be asked for are at it or later. */
  let asked = LEAST

  /** A row for each of the batch, in their order. */
  function nearest(batch: RecordBatch): RecordBatch[] {
    if (segments.length === 0) none ??= buildJoin(context, probing, left, [])
    const found = segments.map(segment => {
      segment.index ??= buildJoin(context, probing, left, [segment.rows])
      return segment.index
    })
    const each = (none !== null && found.length === 0 ? [none] : found).map(index => endToEnd(index.probe(batch)))
    const [first] = each as [RecordBatch]
    if (each.length === 1) return [columnsOf(first, stage.output)]
    const times = each.map(({ vectors }) => vectors.at(-1) as Vector)
    const places = Uint32Array.from({ length: batch.rowCount }, (_, row) => {
      let best = 0
      let latest: bigint | null = null
      for (const [i, time] of times.entries()) {
        if (isNullAt(time, row)) continue
        const at = (time.data as BigInt64Array)[row] as bigint
        // Of equal ones the last that came.
        if (latest !== null && at < latest) continue
        latest = at
        best = i
      }
      return best * batch.rowCount + row
    })
    const taken = new Set(stage.taken.map(({ name }) => name))
    const names = Object.keys(first.schema)
    const vectors = Object.keys(stage.output).map(name => {
      const at = names.indexOf(name)
      if (!taken.has(name)) return first.vectors[at] as Vector
      return gatherVector(concatVectors(each.map(one => one.vectors[at] as Vector)), places)
    })
    return [new RecordBatch(stage.output, vectors, batch.rowCount)]
  }

  function add(batch: RecordBatch): void {
    let rows = batch
    for (let last = segments.at(-1); last && last.rows.rowCount < 2 * rows.rowCount; last = segments.at(-1)) {
      segments.pop()
      last.index?.free()
      rows = needed(endToEnd([last.rows, rows]))
    }
    if (rows.rowCount > 0) segments.push(segmentOf(rows))
  }

  function segmentOf(rows: RecordBatch): Segment {
    const times = timeOf(rows, asof.right).data as BigInt64Array
    let most: bigint | null = null
    for (let row = 0; row < rows.rowCount; row++) {
      const time = times[row] as bigint
      if (time > asked && (most === null || time > most)) most = time
    }
    return { rows, most, index: null }
  }

  /** Of segments that all who ask are now behind, one row a key is enough. */
  function shrink(): void {
    segments = segments.flatMap(segment => {
      if (segment.most === null || segment.most > asked) return [segment]
      const rows = needed(segment.rows)
      if (rows === segment.rows) return [{ ...segment, most: null }]
      segment.index?.free()
      return rows.rowCount === 0 ? [] : [{ rows, most: null, index: null }]
    })
  }

  /** Without rows that others of their keys come before, for all who may ask. */
  function needed(batch: RecordBatch): RecordBatch {
    const times = timeOf(batch, asof.right).data as BigInt64Array
    const read = keys.map(i => readerOf(batch.vectors[i] as Vector))
    const tolerance = asof.tolerance as bigint | null
    /** Of each key, the last before whatever is asked. */
    const last = new Map<string, number>()
    const rows: number[] = []
    for (let row = 0; row < batch.rowCount; row++) {
      const time = times[row] as bigint
      if (time > asked) {
        rows.push(row)
        continue
      }
      if (tolerance !== null && asked - time > tolerance) continue
      let key: string | null = ''
      for (const each of read) {
        const own = each(row)
        key = own === null || key === null ? null : `${key}${own.length} ${own}`
      }
      if (key === null) continue
      const before = last.get(key)
      if (before === undefined || time >= (times[before] as bigint)) last.set(key, row)
    }
    for (const row of last.values()) rows.push(row)
    return rows.length === batch.rowCount ? batch : picked(batch, Uint32Array.from(rows).sort())
  }

  function drop(): void {
    for (const { index } of segments) index?.free()
    none?.free()
    none = null
    segments = []
  }

  return {
    push(side, given, marks) {
      if (side === 1) {
        const rows = rowsWhere(timeOf(given, asof.right), (at, row) => at >= (marks[row] as bigint))
        const kept = picked(columnsOf(given, stage.right), rows)
        lateRows += given.rowCount - kept.rowCount
        if (kept.rowCount > 0) add(kept)
        return []
      }
      const batch = columnsOf(given, left)
      const time = timeOf(batch, asof.left)
      const rows = rowsWhere(time, (at, row) => at >= (marks[row] as bigint))
      const kept = picked(batch, rows)
      if (kept.rowCount > 0) waiting.add(kept)
      lateRows += batch.rowCount - kept.rowCount - time.nullCount
      // A row without a time has no row before it, and need not wait.
      if (time.nullCount === 0) return []
      const timeless: number[] = []
      for (let row = 0; row < batch.rowCount; row++) if (isNullAt(time, row)) timeless.push(row)
      return nearest(picked(batch, Uint32Array.from(timeless)))
    },
    advance(to, isEnd) {
      const out = waiting.take(time => isEnd || time < to).flatMap(nearest)
      if (to > asked) {
        asked = to
        shrink()
      }
      if (isEnd) drop()
      return out
    },
    get lateRows() {
      return lateRows
    },
    get size() {
      return segments.reduce((sum, { rows }) => sum + rows.rowCount, waiting.size)
    },
    hold: 0n,
    free: drop,
  }
}

/** The same join, which tells the time of what it has found. */
function withTime(stage: JoinStage, { right }: AsofJoin): JoinStage {
  const type = { ...(stage.right[right] as DataType), nullable: true }
  const output = schemaOf([...fieldsOf(stage.output), { name: TIME, type }])
  return { ...stage, taken: [...stage.taken, { name: TIME, column: right }], output }
}

/** Equal texts for equal keys; null where it is null. */
function readerOf(vector: Vector): (row: number) => string | null {
  const { type, data, dictionary } = vector
  const plain = type.kind === 'utf8' ? dictionary !== null : type.kind !== 'bool'
  if (plain) return row => (isNullAt(vector, row) ? null : String((data as Int32Array)[row]))
  const batch = new RecordBatch(schemaOf([{ name: 'key', type }]), [vector], vector.length)
  const column = batch.column('key' as never)
  return row => {
    const value = column.at(row) as unknown
    return value === null ? null : String(value)
  }
}
