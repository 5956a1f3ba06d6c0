/**
 * `dedupe` in a job that goes on: rows go on as they come, but those that have come before, of equal keys. Within a time it keeps the times of rows that it let on, as
 * long as the watermark has not gone so far that none can be near them; without, a key for ever.
 */
import type { DataType } from '../columnar/type.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { take } from '../kernels/select.js'
import type { DistinctSpec, LiveAggregateSpec } from '../plan/live.js'
import type { OperatorContext } from './build.js'
import type { LiveAggregate } from './live-aggregate.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Morsel } from './operator.js'
import { renewOne } from './renewed-texts.js'

/** Keys that there are, at least, before those without a time are let go. */
const LEAST_IDLE = 4096

/** Columns of what it gives: `distinct.columns`. */
export function createLiveDistinct(
  context: OperatorContext,
  { keys, input, time, distinct }: LiveAggregateSpec & { readonly distinct: DistinctSpec },
  watermark: string,
): LiveAggregate {
  const { k } = context
  const { memory } = k
  const { within } = distinct
  const names = Object.keys(input)
  const keyColumns = keys.map(name => names.indexOf(name))
  const keyTypes = keys.map(name => input[name] as DataType)
  const columns = distinct.columns.map(name => names.indexOf(name))
  const [timeColumn, watermarkColumn] = [names.indexOf(time), names.indexOf(watermark)]
  /** Of what comes in. */
  const texts = createOneDictionary(context)
  let table = createGroupTable(k, keyTypes, 0)
  let seen = 0
  /** Of each key the times of rows that have gone on, ascending. */
  let times: (bigint[] | undefined)[] = []
  let size = 0
  let most = LEAST_IDLE
  /** The watermark after the last step. */
  let passed = -(2n ** 63n)

  function* consume(given: Morsel): Iterable<LaneBatch> {
    const { rowCount } = given
    if (rowCount === 0) return
    const morsel = { ...texts.recode(given), rows: given.rows }
    const vectors = keyColumns.map(i => morsel.columns[i] as LaneVector)
    table.cover(vectors, rowCount)
    const found = table.find(vectors, rowCount)
    const groups = memory.u32.slice(found >>> 2, (found >>> 2) + rowCount)
    const rows = within === null ? firstOf(groups) : spacedOf(morsel, groups, within)
    if (rows.length === 0) return
    const all = columns.map(i => morsel.columns[i] as LaneVector)
    if (rows.length === rowCount) yield { rowCount, columns: all }
    else {
      const places = memory.scratch(4 * rows.length)
      memory.u32.set(rows, places >>> 2)
      const taken = all.map(column => ({ ...take(k, column, places, rows.length), range: null }))
      yield { rowCount: rows.length, columns: taken }
    }
  }

  /** Groups are numbered as they appear. */
  function firstOf(groups: Uint32Array): number[] {
    const rows: number[] = []
    for (let row = 0; row < groups.length; row++) {
      if (groups[row] !== seen) continue
      seen++
      rows.push(row)
    }
    return rows
  }

  function spacedOf(morsel: Morsel, groups: Uint32Array, distance: bigint): number[] {
    const at = (column: number): number => (morsel.columns[column] as LaneVector).data >>> 3
    const instants = memory.i64.subarray(at(timeColumn), at(timeColumn) + groups.length)
    const marks = memory.i64.subarray(at(watermarkColumn), at(watermarkColumn) + groups.length)
    const rows: number[] = []
    for (let row = 0; row < groups.length; row++) {
      const key = groups[row] as number
      times[key] ??= []
      const mine = times[key] as bigint[]
      const before = mine.length
      while (mine.length > 0 && (mine[0] as bigint) + distance <= (marks[row] as bigint)) mine.shift()
      if (isKept(mine, instants[row] as bigint, distance)) rows.push(row)
      size += mine.length - before
    }
    return rows
  }

  /** Forgets what no row can be near any more. */
  function advance(mark: bigint): Iterable<LaneBatch> {
    passed = mark
    if (within !== null && table.length > most) forget(within)
    return []
  }

  function forget(distance: bigint, recode?: (column: LaneVector) => LaneVector): void {
    const left: number[] = []
    for (const [key, mine] of times.entries()) {
      if (mine === undefined) continue
      const gone = mine.findIndex(each => each + distance > passed)
      size -= mine.splice(0, gone < 0 ? mine.length : gone).length
      if (mine.length > 0) left.push(key)
    }
    move(left, recode)
    most = Math.max(LEAST_IDLE, 2 * left.length)
  }

  /** A table of these keys. */
  function move(left: readonly number[], recode: (column: LaneVector) => LaneVector = column => column): void {
    const begun = memory.mark()
    const next = createGroupTable(k, keyTypes, 0)
    const kept: bigint[][] = []
    if (left.length > 0) {
      const indices = memory.scratch(4 * left.length)
      memory.u32.set(left, indices >>> 2)
      const columns = table.keysAt(indices, left.length).map(column => recode({ ...column, range: null }))
      next.cover(columns, left.length)
      const found = next.find(columns, left.length)
      const places = memory.u32.subarray(found >>> 2, (found >>> 2) + left.length)
      for (const [i, key] of left.entries()) if (times[key] !== undefined) kept[places[i] as number] = times[key]
    }
    table.free()
    table = next
    times = kept
    memory.reset(begun)
  }

  return {
    label: `dedupe by ${keys.join(', ')}`,
    consume,
    advance,
    tick: () => [],
    isPending: false,
    renew(renewed) {
      const recode = (column: LaneVector) => renewed.recode(column)
      if (within === null)
        move(
          Array.from({ length: table.length }, (_, key) => key),
          recode,
        )
      else forget(within, recode)
      renewOne(texts, renewed, names.length)
    },
    get size() {
      return within === null ? table.length : size
    },
    free() {
      table.free()
      texts.clear()
    },
  }
}

/** Whether a time is `distance` or more from all others, which it then joins. */
function isKept(times: bigint[], time: bigint, distance: bigint): boolean {
  let [from, to] = [0, times.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((times[middle] as bigint) <= time) from = middle + 1
    else to = middle
  }
  const [before, after] = [times[from - 1], times[from]]
  if (before !== undefined && time - before < distance) return false
  if (after !== undefined && after - time < distance) return false
  times.splice(from, 0, time)
  return true
}
