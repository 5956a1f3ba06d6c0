/**
 * Windows that are made by their rows, in a job that goes on: sessions, which rows join to one another, and so many rows of a key after another. Each window has a state of its own;
 * where a row joins two sessions their states are merged. live-aggregate.ts has the windows that time alone makes, and says what is given when.
 */
import { type DataType, int32, type SchemaShape } from '../columnar/type.js'
import { createAggregation } from '../kernels/aggregate/aggregation.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { rangeIndices, take, takeIndices } from '../kernels/select.js'
import type { AccumulatorSpec } from '../plan/physical.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import type { LiveAggregate, LiveAggregateStage } from './live-aggregate.js'
import { createOneDictionary } from './one-dictionary.js'
import { addSession, sessionsNear } from './open-sessions.js'
import type { Morsel } from './operator.js'
import { type RenewedTexts, renewOne } from './renewed-texts.js'
import { inOrder, instantOf } from './window-groups.js'

export interface LiveSessionsStage extends Pick<LiveAggregateStage, 'keys' | 'lateness' | 'emits'> {
  readonly accumulators: readonly AccumulatorSpec[]
  readonly windows:
    | { readonly kind: 'session'; readonly gap: bigint }
    | { readonly kind: 'rowCount'; readonly count: number }
  /** Columns of the event time, without nulls, and of the watermark as each row came. */
  readonly time: string
  readonly watermark: string
}

interface Session {
  start: bigint
  last: bigint
  /** Of the key table. */
  readonly key: number
  /** Its state. */
  readonly cell: number
  /** Rows, of windows of so many. */
  rows: number
  /** The place of its first row. */
  order: number
  isGiven: boolean
  isClosed: boolean
  /** What has been given of it, and has changed since. */
  before: LaneBatch[]
}

/** Keys without a window that are kept, at least, before the table is made anew. */
const LEAST_IDLE = 4096

/** @param onLate rows of a morsel (places, ascending) that came when their windows had closed */
export function createLiveSessions(
  context: OperatorContext,
  stage: LiveSessionsStage,
  input: SchemaShape,
  onLate: (morsel: Morsel, rows: readonly number[]) => void,
): LiveAggregate {
  const { k } = context
  const { memory } = k
  const { windows, lateness, emits } = stage
  const names = Object.keys(input)
  const keyColumns = stage.keys.map(name => names.indexOf(name))
  const keyTypes = stage.keys.map(name => input[name] as DataType)
  const [timeColumn, watermarkColumn] = [names.indexOf(stage.time), names.indexOf(stage.watermark)]
  const timeType = input[stage.time] as DataType
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const dictionaries = createOneDictionary(context)
  /** Of what comes in. */
  const texts = createOneDictionary(context)
  const gap = windows.kind === 'session' ? windows.gap : 0n
  let table = createGroupTable(k, keyTypes, 0)
  let aggregation = createAggregation(context, inputs.specs)
  let position = 0
  let cells = 0
  let sessions: Session[][] = []
  const all = new Set<Session>()
  let changed = new Set<Session>()
  let leastEnd = MOST
  /** The watermark of the row before; up to where windows take no rows any more, by their end and by their last row; and those that a row joins. */
  let [latest, closing, over] = [LEAST, LEAST, LEAST]
  const near: Session[] = []

  const endOf = ({ last }: Session): bigint => last + gap

  function* consume(given: Morsel): Iterable<LaneBatch> {
    const count = given.rowCount
    if (count === 0) return
    const morsel = { ...texts.recode(given), rows: given.rows }
    const keys = keyColumns.map(i => morsel.columns[i] as LaneVector)
    table.cover(keys, count)
    const found = table.find(keys, count)
    const groups = found === 0 ? null : memory.u32.slice(found >>> 2, (found >>> 2) + count)
    const at = (i: number) => (morsel.columns[i] as LaneVector).data >>> 3
    const times = memory.i64.slice(at(timeColumn), at(timeColumn) + count)
    const marks = memory.i64.slice(at(watermarkColumn), at(watermarkColumn) + count)
    const places = new Uint32Array(count)
    const kept: number[] = []
    const late: number[] = []
    const merges: (readonly [from: number, to: number])[] = []
    const full: Session[] = []
    for (let row = 0; row < count; row++) {
      const key = groups === null ? 0 : (groups[row] as number)
      sessions[key] ??= []
      const session = placeOf(sessions[key], key, times[row] as bigint, marks[row] as bigint, merges, row)
      if (session === null) late.push(row)
      else {
        places[kept.length] = session.cell
        kept.push(row)
        if (windows.kind === 'rowCount' && session.rows === windows.count) full.push(session)
      }
    }
    if (late.length > 0) onLate(morsel, late)
    if (kept.length > 0) update(morsel, kept, places)
    if (merges.length > 0) merge(merges)
    position += count
    yield* told(emits === 'changes')
    if (full.length > 0) yield* close(full)
  }

  function placeOf(
    own: Session[],
    key: number,
    time: bigint,
    mark: bigint,
    merges: (readonly [number, number])[],
    row: number,
  ): Session | null {
    if (windows.kind === 'rowCount') {
      const current = own[0] ?? begin(own, key, time, row)
      touch(current)
      current.rows++
      if (time < current.start) current.start = time
      if (time > current.last) current.last = time
      if (current.rows === windows.count) own.length = 0
      return current
    }
    if (mark !== latest) {
      latest = mark
      closing = mark - lateness
      over = closing - gap
    }
    const to = time + gap
    // One whose end has gone by for good takes no rows, though it is still here.
    sessionsNear(own, time - gap, to, over, near)
    const first = near[0]
    if (first === undefined) {
      if (instantOf(to) <= closing) return null
      const begun = begin(own, key, time, row)
      // Its end has gone by, and it is told as a change.
      if (endOf(begun) <= mark) begun.isClosed = true
      touch(begun)
      return begun
    }
    touch(first)
    if (time < first.start) first.start = time
    if (time > first.last) first.last = time
    for (let i = 1; i < near.length; i++) {
      const other = near[i] as Session
      touch(other)
      changed.delete(other)
      if (other.before.length > 0) changed.add(first)
      first.before.push(...other.before.splice(0))
      merges.push([other.cell, first.cell])
      first.start = other.start < first.start ? other.start : first.start
      first.last = other.last > first.last ? other.last : first.last
      first.order = Math.min(first.order, other.order)
      own.splice(own.indexOf(other), 1)
      all.delete(other)
    }
    if (first.isClosed) {
      const end = endOf(first)
      if (end > mark) {
        // Open again: what had been given is taken back, and it is given when it closes.
        first.isClosed = false
        first.isGiven = false
      }
      if (end < leastEnd) leastEnd = end
    }
    return first
  }

  function begin(own: Session[], key: number, time: bigint, row: number): Session {
    const session: Session = {
      start: time,
      last: time,
      key,
      cell: cells++,
      rows: 0,
      order: position + row,
      isGiven: false,
      isClosed: false,
      before: [],
    }
    addSession(own, session)
    all.add(session)
    if (endOf(session) < leastEnd) leastEnd = endOf(session)
    return session
  }

  /** Keeps it as it is, where it has been given and is about to change. */
  function touch(session: Session): void {
    if ((emits === 'closed' && !session.isClosed) || changed.has(session)) return
    changed.add(session)
    if (session.isGiven) for (const batch of asTheyAre([session], -1)) session.before.push(copyToHeap(k, batch))
  }

  function update(morsel: Morsel, kept: readonly number[], places: Uint32Array): void {
    const count = kept.length
    const rows = u32s(kept)
    const own: Morsel = {
      rowCount: count,
      columns:
        count === morsel.rowCount
          ? morsel.columns
          : morsel.columns.map(each => ({ ...take(k, each, rows, count), range: null })),
      rows: count === morsel.rowCount ? morsel.rows : takeIndices(k, morsel.rows, rows, count),
    }
    const values = inputs.evaluate(own)
    const groups = u32s(places.subarray(0, count))
    aggregation.resize(cells)
    aggregation.update(groups, values, count, position)
    aggregation.open(0, cells)
  }

  /** @param merges in order: a state that others go to may go on to another */
  function merge(merges: readonly (readonly [from: number, to: number])[]): void {
    const ends = new Map<number, number>()
    const times = new Map<number, number>()
    let most = 0
    for (let i = merges.length - 1; i >= 0; i--) {
      const [from, to] = merges[i] as readonly [number, number]
      const end = ends.get(to) ?? to
      ends.set(from, end)
      const count = (times.get(end) ?? 0) + 1
      times.set(end, count)
      most = Math.max(most, count)
    }
    const mark = memory.mark()
    const [from, to] = [u32s([...ends.keys()]), u32s([...ends.values()])]
    aggregation.merge(aggregation.laneState(from, ends.size), to, ends.size, most)
    aggregation.open(0, cells)
    memory.reset(mark)
  }

  /** In scratch. */
  function u32s(values: ArrayLike<number>): number {
    const pointer = memory.scratch(4 * values.length)
    memory.u32.set(values, pointer >>> 2)
    return pointer
  }

  /** What has changed of these: as it was, and if it is closed, or all is told, as it is. */
  function* told(tellsAll: boolean, some: readonly Session[] = [...changed]): Iterable<LaneBatch> {
    if (emits === 'kept' && !tellsAll) return
    const mine = some.filter(session => changed.delete(session))
    for (const session of mine)
      for (const batch of session.before.splice(0)) {
        try {
          yield batch
        } finally {
          freeHeapBatch(k, batch)
        }
      }
    const now = mine.filter(session => (tellsAll || session.isClosed) && all.has(session))
    for (const session of now) session.isGiven = true
    yield* asTheyAre(now, 1)
  }

  function* asTheyAre(some: readonly Session[], weight: number): Iterable<LaneBatch> {
    if (some.length === 0) return
    const ordered = [...some].sort(
      (a, b) => inOrder({ start: a.start, end: endOf(a) }, { start: b.start, end: endOf(b) }) || a.order - b.order,
    )
    const count = ordered.length
    const mark = memory.mark()
    const instants = (values: readonly bigint[]): LaneVector => {
      const data = memory.scratch(8 * count)
      memory.i64.set(values, data >>> 3)
      return { type: timeType, length: count, data, validity: 0, dictionary: null, range: null }
    }
    const indices = u32s(ordered.map(({ cell }) => cell))
    const keys = u32s(ordered.map(({ key }) => key))
    const fresh = createAggregation(context, inputs.specs)
    try {
      fresh.resize(count)
      fresh.merge(aggregation.laneState(indices, count), rangeIndices(k, 0, count), count, 1)
      fresh.open(0, count)
      const columns = [
        instants(ordered.map(({ start }) => start)),
        instants(ordered.map(endOf)),
        ...table.keys().map(key => take(k, key, keys, count)),
        ...fresh.evaluate(count),
      ]
      const recoded = dictionaries.recode({ rowCount: count, columns })
      const data = memory.scratch(4 * count)
      memory.i32.fill(weight, data >>> 2, (data >>> 2) + count)
      const weights = { type: int32(), length: count, data, validity: 0, dictionary: null, range: null }
      yield { rowCount: count, columns: [...recoded.columns, weights] }
    } finally {
      fresh.free()
      memory.reset(mark)
    }
  }

  /** Windows whose time has come. */
  function* close(closing: readonly Session[]): Iterable<LaneBatch> {
    for (const session of closing) session.isClosed = true
    if (emits === 'closed') {
      for (const session of closing) session.isGiven = true
      yield* asTheyAre(closing, 1)
    } else yield* told(true, closing)
    if (windows.kind === 'rowCount') for (const session of closing) all.delete(session)
  }

  function* advance(watermark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    if (emits === 'kept' && isEnd) yield* told(true)
    if (windows.kind === 'rowCount') {
      if (isEnd) yield* close([...all])
      moveIfMany()
      return
    }
    if (!isEnd && watermark < leastEnd) return
    const closing: Session[] = []
    leastEnd = MOST
    for (const session of all) {
      if (!session.isClosed && (isEnd || endOf(session) <= watermark)) closing.push(session)
      else if (!session.isClosed && endOf(session) < leastEnd) leastEnd = endOf(session)
    }
    yield* close(closing)
    const isOver = (session: Session): boolean => isEnd || endOf(session) + lateness <= watermark
    // Also one that was closed when its first row came, and that no tick has told since.
    yield* told(true, [...changed].filter(isOver))
    const keys = new Set<number>()
    for (const session of all) {
      const over = endOf(session) + lateness
      if (isOver(session)) {
        all.delete(session)
        keys.add(session.key)
      } else if (session.isClosed && over < leastEnd) leastEnd = over
    }
    for (const key of keys) sessions[key] = (sessions[key] as Session[]).filter(each => all.has(each))
    moveIfMany()
  }

  /** States of windows that are gone are many. */
  function moveIfMany(): void {
    if (cells > 2 * all.size + LEAST_IDLE) move()
  }

  /** Keys and states of the windows that are left. */
  function move(recode: (column: LaneVector) => LaneVector = column => column): void {
    const mark = memory.mark()
    const left = [...all].sort((a, b) => (a.last < b.last ? -1 : 1))
    const count = left.length
    const fresh = createAggregation(context, inputs.specs)
    const next = createGroupTable(k, keyTypes, 0)
    let keys: readonly number[] = left.map(() => 0)
    if (count > 0) {
      const own = u32s(left.map(({ cell }) => cell))
      const ofKeys = u32s(left.map(({ key }) => key))
      fresh.resize(count)
      fresh.merge(aggregation.laneState(own, count), rangeIndices(k, 0, count), count, 1)
      fresh.open(0, count)
      const columns = table.keys().map(key => recode({ ...take(k, key, ofKeys, count), range: null }))
      next.cover(columns, count)
      const found = next.find(columns, count)
      if (found !== 0) keys = [...memory.u32.subarray(found >>> 2, (found >>> 2) + count)]
    }
    const moved = new Map(left.map((session, i) => [session, { ...session, cell: i, key: keys[i] as number }]))
    sessions = []
    all.clear()
    for (const session of moved.values()) {
      sessions[session.key] ??= []
      ;(sessions[session.key] as Session[]).push(session)
      all.add(session)
    }
    changed = new Set([...changed].flatMap(session => moved.get(session) ?? []))
    table.free()
    aggregation.free()
    table = next
    aggregation = fresh
    cells = count
    memory.reset(mark)
  }

  function renew(renewed: RenewedTexts): void {
    move(column => renewed.recode(column))
    renewOne(texts, renewed, names.length)
    dictionaries.clear()
  }

  return {
    label: `aggregate by ${windows.kind}${stage.keys.map(name => `, ${name}`).join('')}`,
    consume,
    advance,
    tick: () => (emits === 'kept' ? told(true) : []),
    renew,
    get isPending() {
      return changed.size > 0
    },
    get size() {
      return all.size
    },
    free() {
      for (const { before } of all) for (const batch of before.splice(0)) freeHeapBatch(k, batch)
      inputs.free()
      table.free()
      aggregation.free()
      dictionaries.clear()
      texts.clear()
    },
  }
}

/** Later than all instants, and earlier than all watermarks. */
const MOST = 2n ** 63n - 1n
const LEAST = -(2n ** 65n)
