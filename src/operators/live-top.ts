/**
 * `topK` of groups in a job that goes on: of each window and key the best rows so far, in their order. What is given is the difference: rows that enter and that leave.
 *
 * ```
 * consume    rows ── groups: those that are among the best of one are kept ── what has changed, where that is to be told
 * advance    windows that end before the watermark are given, and when they take no more rows their rows go
 * ```
 * Rows are kept in chunks (kept-rows.ts), and by each group that has them: windows that overlap have rows in common. Where each of these is given once its groups are those of panes, and
 * a window's best rows are the best of its panes' best, put together as it closes.
 */
import { type DataType, int32 } from '../columnar/type.js'
import { createGroupTable } from '../kernels/group.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { LiveAggregateSpec, TopSpec } from '../plan/live.js'
import type { OperatorContext } from './build.js'
import { firstFrom, isAsBefore, wordsOf } from './instants.js'
import { createKeptRows, type KeptRow } from './kept-rows.js'
import type { LiveAggregate } from './live-aggregate.js'
import { createOneDictionary } from './one-dictionary.js'
import { addSession, sessionsNear } from './open-sessions.js'
import type { Morsel } from './operator.js'
import { renewOne } from './renewed-texts.js'
import { createTopTogether } from './top-together.js'
import { inOrder, instantOf, windowsOf } from './window-groups.js'

interface OpenWindow {
  start: bigint
  /** Its end, or of a session its last row. */
  last: bigint
  isClosed: boolean
  isOver: boolean
  readonly groups: Map<number, Group>
  /** That have its rows in the place of groups of its own. */
  readonly panes: Pane[]
}

interface Group {
  /** Null of a pane. */
  window: OpenWindow | null
  /** Of the key table. */
  key: number
  /** The place of its first row. */
  order: number
  /** Rows that have come, of windows of so many. */
  count: number
  rows: KeptRow[]
  /** What has been given, and of which bounds. */
  given: readonly KeptRow[]
  givenStart: bigint
  givenEnd: bigint
}

/** Windows that a part of time is in, as they end, and of each key the groups of these that its rows have gone into, or the pane's own. */
interface Pane {
  readonly windows: readonly OpenWindow[]
  readonly groups: Map<number, (Group | undefined)[]>
  readonly own: Map<number, Group>
}

/** Rows of a group that are taken back, or new, with the bounds of its window. */
interface Told {
  readonly rows: readonly KeptRow[]
  readonly window: OpenWindow
  readonly order: number
  readonly start: bigint
  readonly end: bigint
}

/** Rows that come, by their places: keys, the beginnings and ends of windows or times, and the watermark as each came. */
interface Rows {
  readonly rowCount: number
  readonly keyOf: Uint32Array | null
  readonly starts: BigInt64Array | null
  readonly ends: BigInt64Array | null
  readonly marks: BigInt64Array | null
  readonly isBetter: IsBetter
  readonly late: number[]
}

type IsBetter = (row: number, than: KeptRow) => boolean

/** Keys without a group that are kept, at least, before the table is made anew. */
const LEAST_IDLE = 4096
const MOST = 2n ** 63n - 1n
const NONE: readonly KeptRow[] = []

/** @param onLate rows of a morsel (places, ascending) that came when their windows had closed */
export function createLiveTop(
  context: OperatorContext,
  spec: LiveAggregateSpec & { readonly top: TopSpec; readonly watermark: string },
  onLate: (morsel: Morsel, rows: readonly number[]) => void,
): LiveAggregate {
  const { k } = context
  const { memory } = k
  const { windows, lateness, emits, input, top } = spec
  const names = Object.keys(input)
  const placeOf = (name: string) => names.indexOf(name)
  const kind = typeof windows === 'object' ? windows.kind : windows
  const isOwn = kind === 'session' || kind === 'rowCount'
  const isOverlapping = kind === 'sliding' || kind === 'cumulative'
  /** Each window is given once, as it closes, and goes. */
  const isOnce = emits === 'closed' && lateness === 0n && kind !== 'none'
  const isPaned = isOverlapping && isOnce
  const [startColumn, endColumn] = [0, spec.isEndOnly ? 0 : 1].map(i => placeOf(spec.keys[i] ?? ''))
  const keysFrom = kind === 'none' || isOwn ? 0 : kind === 'ends' && !spec.isEndOnly ? 2 : 1
  const keyColumns = spec.keys.slice(keysFrom).map(placeOf)
  const keyTypes = keyColumns.map(i => input[names[i] as string] as DataType)
  const boundType = (
    kind === 'none' || spec.isEndOnly ? null : input[isOwn ? spec.time : (spec.keys[0] as string)]
  ) as DataType
  const [timeColumn, watermarkColumn] = [placeOf(spec.time), placeOf(spec.watermark)]
  const gap = typeof windows === 'object' && windows.kind === 'session' ? windows.gap : 0n
  /** Of what comes in. */
  const texts = createOneDictionary(context)
  const kept = createKeptRows(
    k,
    top.orders.map(({ name, ...rest }) => ({ ...rest, column: top.columns.indexOf(name) })),
  )
  let table = createGroupTable(k, keyTypes, 0)
  let position = 0
  /** Windows that time alone makes, by their bounds. */
  const open = new Map<string, OpenWindow>()
  /** The windows of each part that they have in common, of windows that overlap. */
  const panes = new Map<bigint, Pane>()
  let latestPane: Pane | null = null
  let latestStart = 0n
  /** Of each key, windows that its rows make. */
  let own: (OpenWindow[] | undefined)[] = []
  const all = new Set<OpenWindow>()
  const changed = new Set<Group>()
  /** That of the row before, which is often that of the next. */
  let latest: OpenWindow | null = null
  let groupCount = 0
  /** Before this nothing ends. */
  let due = MOST
  let closedUpTo = -(2n ** 63n)

  const together = createTopTogether(kept, top.count)
  /** Taken back, and there until it has been given. */
  const taken: KeptRow[] = []

  const endOf = ({ last }: OpenWindow): bigint => last + gap

  function* consume(given: Morsel): Iterable<LaneBatch> {
    const { rowCount } = given
    if (rowCount === 0) return
    const morsel = { ...texts.recode(given), rows: given.rows }
    const keys = keyColumns.map(i => morsel.columns[i] as LaneVector)
    table.cover(keys, rowCount)
    const found = keys.length === 0 ? 0 : table.find(keys, rowCount)
    const keyOf = found === 0 ? null : memory.u32.slice(found >>> 2, (found >>> 2) + rowCount)
    const instants = (column: number): BigInt64Array | null => {
      if (column < 0) return null
      const at = (morsel.columns[column] as LaneVector).data >>> 3
      return memory.i64.slice(at, at + rowCount)
    }
    const starts = keysFrom > 0 ? instants(startColumn) : isOwn ? instants(timeColumn) : null
    const ends = kind === 'ends' ? instants(endColumn) : null
    const marks = isOverlapping || isOwn ? instants(watermarkColumn) : null
    const columns = top.columns.map(name => morsel.columns[placeOf(name)] as LaneVector)
    const isBetter = kept.begin({ rowCount, columns }, top.ties === 'last')
    const late: number[] = []
    const rows = { rowCount, keyOf, starts, ends, marks, isBetter, late }
    for (let row = putFrom(rows, 0); row < rowCount; row = putFrom(rows, row)) {
      if (emits === 'changes') yield* tell(changed)
      yield* closeUpTo((marks as BigInt64Array)[row] as bigint, false)
    }
    position += rowCount
    kept.settle()
    if (late.length > 0) onLate(morsel, late)
    if (kind === 'rowCount') yield* close([...all].filter(({ isClosed }) => isClosed))
    if (emits !== 'kept') yield* tell(changed)
    kept.tidy()
  }

  /** Up to the row before which something closes: it may be late for some of its windows and in time for others, and those end before it comes. */
  function putFrom(rows: Rows, from: number): number {
    if (isOverlapping) return putInPanes(rows, from)
    const { rowCount, keyOf, starts, ends, marks, isBetter, late } = rows
    const [startWords, endWords] = [wordsOf(starts), wordsOf(ends)]
    let window: OpenWindow | null = null
    for (let row = from; row < rowCount; row++) {
      const key = keyOf === null ? 0 : (keyOf[row] as number)
      if (isOwn) {
        const [time, mark] = [(starts as BigInt64Array)[row] as bigint, (marks as BigInt64Array)[row] as bigint]
        window = kind === 'session' ? sessionOf(key, time, mark) : fullOf(key, time)
      } else if (window === null || !isAsBefore(startWords, row) || !isAsBefore(endWords, row))
        window = starts && ends ? windowOf(starts[row] as bigint, ends[row] as bigint) : windowOf(0n, MOST)
      if (window === null) late.push(row)
      else put(groupIn(window.groups, window, key, row), row, isBetter)
    }
    return rowCount
  }

  function putInPanes({ rowCount, keyOf, starts, marks, isBetter }: Rows, from: number): number {
    const startWords = wordsOf(starts)
    const markOf = (row: number) => (marks as BigInt64Array)[row] as bigint
    /** The first row whose watermark is not before `due`, when that is `dueOf`. */
    let [dueRow, dueOf] = [0, null as bigint | null]
    let pane: Pane | null = null
    for (let row = from; row < rowCount; row++) {
      if (dueOf !== due) {
        dueOf = due
        dueRow = firstFrom(marks as BigInt64Array, due, row)
      }
      if (row >= dueRow && markOf(row) > closedUpTo) return row
      const key = keyOf === null ? 0 : (keyOf[row] as number)
      if (pane === null || !isAsBefore(startWords, row))
        pane = paneOf((starts as BigInt64Array)[row] as bigint, markOf(row))
      if (!isPaned) putInAll(pane, key, row, isBetter)
      else if (pane.windows.at(-1)?.isOver === false) put(groupIn(pane.own, null, key, row), row, isBetter)
    }
    return rowCount
  }

  function putInAll({ windows: mine, groups }: Pane, key: number, row: number, isBetter: IsBetter): void {
    let known = groups.get(key)
    if (known === undefined) {
      known = new Array(mine.length)
      groups.set(key, known)
    }
    for (let i = 0; i < mine.length; i++) {
      const window = mine[i] as OpenWindow
      if (window.isOver) continue
      let group = known[i]
      if (group === undefined) {
        group = groupIn(window.groups, window, key, row)
        known[i] = group
      }
      put(group, row, isBetter)
    }
  }

  function groupIn(groups: Map<number, Group>, window: OpenWindow | null, key: number, row: number): Group {
    let group = groups.get(key)
    if (group === undefined) {
      group = { window, key, order: position + row, count: 0, rows: [], given: NONE, givenStart: 0n, givenEnd: 0n }
      groups.set(key, group)
      groupCount++
    }
    return group
  }

  function put(group: Group, row: number, isBetter: IsBetter): void {
    group.count++
    const { rows, window } = group
    if (window !== null && kind === 'rowCount' && group.count === (windows as { readonly count: number }).count)
      window.isClosed = true
    if (top.count === 0 || (rows.length === top.count && !isBetter(row, rows[rows.length - 1] as KeptRow))) return
    let [from, to] = [0, rows.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if (isBetter(row, rows[middle] as KeptRow)) to = middle
      else from = middle + 1
    }
    const mine = kept.keep(row, position + row)
    if (rows.length === top.count) kept.release(rows.pop() as KeptRow)
    rows.splice(from, 0, mine)
    if (window !== null) touch(group)
  }

  const touch = (group: Group): void => {
    if (isTold(group)) changed.add(group)
  }

  const isTold = ({ window }: Group): boolean => emits !== 'closed' || window?.isClosed === true

  function windowOf(start: bigint, end: bigint): OpenWindow {
    if (latest !== null && latest.start === start && latest.last === end && !latest.isOver) return latest
    latest = found(start, end)
    return latest
  }

  function found(start: bigint, end: bigint): OpenWindow {
    const name = kind === 'none' ? '' : `${start} ${end}`
    const known = open.get(name)
    if (known !== undefined) return known
    const window = begin(start, end)
    open.set(name, window)
    // One that has closed without a row may yet have its first, and is gone a while after its end.
    window.isClosed = end <= closedUpTo
    expect(window)
    return window
  }

  function begin(start: bigint, last: bigint): OpenWindow {
    const window = { start, last, isClosed: false, isOver: false, groups: new Map(), panes: [] }
    all.add(window)
    return window
  }

  function expect(window: OpenWindow): void {
    const next = window.isClosed ? endOf(window) + lateness : endOf(window)
    if (kind !== 'none' && kind !== 'rowCount' && next < due) due = next
  }

  /** @param mark the watermark as the row came: windows that it is late for, and those that are over, do not begin */
  function paneOf(start: bigint, mark: bigint): Pane {
    if (latestPane !== null && latestStart === start) return latestPane
    let pane = panes.get(start)
    if (pane === undefined) {
      const least = mark > closedUpTo ? mark : closedUpTo
      const bounds = windowsOf(windows as Parameters<typeof windowsOf>[0], start)
      const mine = bounds.flatMap(({ start, end }) => (end + lateness <= least ? [] : [windowOf(start, end)]))
      pane = { windows: mine, groups: new Map(), own: new Map() }
      if (isPaned) for (const window of mine) window.panes.push(pane)
      panes.set(start, pane)
    }
    latestPane = pane
    latestStart = start
    return pane
  }

  /** The window of a key that is not full; it has the bounds of its rows. */
  function fullOf(key: number, time: bigint): OpenWindow {
    own[key] ??= []
    const mine = own[key] as OpenWindow[]
    const current = mine[0]
    if (current === undefined || current.isClosed) {
      mine[0] = begin(time, time)
      return mine[0]
    }
    if (time >= current.start && time <= current.last) return current
    if (time < current.start) current.start = time
    else current.last = time
    // What had been given has other bounds now, also where the row itself is not among the best.
    touch(current.groups.get(key) as Group)
    return current
  }

  /** The session that a row joins, others that it joins to it being merged; null where its end has gone by for good. */
  function sessionOf(key: number, time: bigint, mark: bigint): OpenWindow | null {
    own[key] ??= []
    const mine = own[key] as OpenWindow[]
    const near = sessionsNear(mine, time - gap, time + gap, mark - lateness - gap, [])
    const end = near.reduce((most, each) => (endOf(each) > most ? endOf(each) : most), instantOf(time + gap))
    if (end + lateness <= mark) return null
    const [first = begin(time, time), ...others] = near
    if (near.length === 0) {
      addSession(mine, first)
      // Its end has gone by, and it is told as a change.
      first.isClosed = endOf(first) <= mark
    }
    if (time < first.start) first.start = time
    if (time > first.last) first.last = time
    for (const other of others) {
      if (other.start < first.start) first.start = other.start
      if (other.last > first.last) first.last = other.last
      mine.splice(mine.indexOf(other), 1)
      join(first, other)
    }
    const group = first.groups.get(key)
    // What had been given has other bounds now, or is open again: it is taken back, and given when it closes.
    if (group !== undefined) {
      touch(group)
      if (group.given.length > 0) changed.add(group)
    }
    if (endOf(first) > mark) first.isClosed = false
    expect(first)
    return first
  }

  function join(window: OpenWindow, other: OpenWindow): void {
    for (const [key, group] of other.groups) {
      const mine = window.groups.get(key) as Group
      mine.order = Math.min(mine.order, group.order)
      const both = [...mine.rows, ...group.rows].sort(kept.compare)
      mine.rows = both.splice(0, top.count)
      for (const row of both) kept.release(row)
      group.rows = []
      if (group.given.length > 0) changed.add(group)
      else {
        changed.delete(group)
        groupCount--
      }
    }
    other.isOver = true
    all.delete(other)
  }

  /** What has changed since the last time: first what is taken back, then what is new. */
  function* tell(groups: Iterable<Group>): Iterable<LaneBatch> {
    const back: Told[] = []
    const fresh: Told[] = []
    for (const group of groups) {
      changed.delete(group)
      const { given, givenStart, givenEnd, order } = group
      const window = group.window as OpenWindow
      const [start, end] = [window.start, endOf(window)]
      const now = isTold(group) ? group.rows : []
      const isMoved = start !== givenStart || end !== givenEnd
      const gone = isMoved ? given : without(given, now)
      const come = isMoved ? now : without(now, given)
      if (gone.length > 0) back.push({ rows: gone, window, order, start: givenStart, end: givenEnd })
      if (come.length > 0) fresh.push({ rows: come, window, order, start, end })
      for (const row of now) kept.retain(row)
      for (const row of given) taken.push(row)
      group.given = now.slice()
      group.givenStart = start
      group.givenEnd = end
      if (window.isOver && now.length === 0) groupCount--
    }
    back.sort(inTurn)
    fresh.sort(inTurn)
    if (back.length + fresh.length > 0) yield* rowsOf([...back, ...fresh], back.length)
    for (const row of taken.splice(0)) kept.release(row)
  }

  /** @param back how many of them are taken back, the first ones */
  function* rowsOf(told: readonly Told[], back: number): Iterable<LaneBatch> {
    const mark = memory.mark()
    const count = told.reduce((sum, { rows }) => sum + rows.length, 0)
    const rows = new Int32Array(count)
    let filled = 0
    for (const each of told) for (const row of each.rows) rows[filled++] = row
    const { columns, free } = kept.gather(rows)
    try {
      const instants = (name: 'start' | 'end'): LaneVector => {
        const data = memory.scratch(8 * count)
        let [from, to] = [data >>> 3, data >>> 3]
        for (const [i, each] of told.entries()) {
          to += each.rows.length
          if (told[i + 1]?.[name] === each[name]) continue
          memory.i64.fill(each[name], from, to)
          from = to
        }
        return { type: boundType, length: count, data, validity: 0, dictionary: null, range: null }
      }
      const bounds = boundType === null ? [] : [instants('start'), instants('end')]
      const data = memory.scratch(4 * count)
      const from = told.slice(0, back).reduce((sum, each) => sum + each.rows.length, 0)
      memory.i32.fill(-1, data >>> 2, (data >>> 2) + from)
      memory.i32.fill(1, (data >>> 2) + from, (data >>> 2) + count)
      const weights = { type: int32(), length: count, data, validity: 0, dictionary: null, range: null }
      yield { rowCount: count, columns: [...bounds, ...columns, weights] }
    } finally {
      free()
      memory.reset(mark)
    }
  }

  const groupsOf = (some: Iterable<OpenWindow>): Group[] => [...some].flatMap(({ groups }) => [...groups.values()])

  /** What has changed of these, and of windows that have been joined to others. */
  function* tellOf(some: readonly OpenWindow[]): Iterable<LaneBatch> {
    if (some.length === 0 || changed.size === 0) return
    const mine = new Set<OpenWindow | null>(some)
    yield* tell([...changed].filter(({ window }) => mine.has(window) || window?.isOver))
  }

  /** Windows whose time has come. */
  function* close(closing: readonly OpenWindow[]): Iterable<LaneBatch> {
    if (closing.length === 0) return
    for (const window of closing) window.isClosed = true
    if (isOnce) yield* giveOnce(closing)
    else if (emits === 'closed') yield* tell(groupsOf(closing))
    else yield* tellOf(closing)
    if (kind === 'rowCount') dropAll(closing)
  }

  function* giveOnce(closing: readonly OpenWindow[]): Iterable<LaneBatch> {
    const told: Told[] = []
    for (const window of closing) {
      const [start, end] = [window.start, endOf(window)]
      for (const { rows, order } of isPaned
        ? together.of(
            window.panes.map(each => each.own),
            table.length,
          )
        : window.groups.values())
        if (rows.length > 0) told.push({ rows, window, order, start, end })
    }
    told.sort(inTurn)
    if (told.length > 0) yield* rowsOf(told, 0)
  }

  function dropAll(some: readonly OpenWindow[]): void {
    const keys = new Set(isOwn ? groupsOf(some).map(({ key }) => key) : [])
    for (const window of some) drop(window)
    for (const key of keys) own[key] = own[key]?.filter(({ isOver }) => !isOver)
  }

  function drop(window: OpenWindow): void {
    window.isOver = true
    all.delete(window)
    for (const { windows: mine, own } of window.panes) {
      // Others may yet be put together of it.
      if (mine[mine.length - 1] !== window) continue
      groupCount -= own.size
      for (const { rows } of own.values()) for (const row of rows) kept.release(row)
      own.clear()
    }
    groupCount -= window.groups.size
    for (const group of window.groups.values()) {
      changed.delete(group)
      for (const row of group.rows) kept.release(row)
      for (const row of group.given) kept.release(row)
    }
    window.groups.clear()
  }

  function* advance(watermark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    yield* closeUpTo(watermark, isEnd)
    // Not between rows, whose keys have been found.
    if (table.length > 2 * groupCount + LEAST_IDLE) move()
  }

  function* closeUpTo(watermark: bigint, isEnd: boolean): Iterable<LaneBatch> {
    if (emits === 'kept' && isEnd) yield* tell([...changed])
    if (kind === 'none') return
    if (kind === 'rowCount') {
      if (isEnd) yield* close([...all])
      return
    }
    if (!isEnd && watermark < due) {
      if (watermark > closedUpTo) closedUpTo = watermark
      return
    }
    closedUpTo = isEnd ? MOST : watermark
    const isPast = (end: bigint): boolean => isEnd || end <= watermark
    yield* close([...all].filter(window => !window.isClosed && isPast(endOf(window))))
    const ending = [...all].filter(window => isPast(endOf(window) + lateness))
    yield* tellOf(ending)
    dropAll(ending)
    for (const window of ending) open.delete(`${window.start} ${window.last}`)
    if (ending.length > 0)
      for (const [start, pane] of panes) if (pane.windows.every(({ isOver }) => isOver)) panes.delete(start)
    latestPane = null
    due = MOST
    for (const window of all) expect(window)
    kept.tidy()
  }

  /** A table of the keys that have groups. */
  function move(recode: (column: LaneVector) => LaneVector = column => column): void {
    if (keyTypes.length === 0) return
    const mark = memory.mark()
    const groups = groupsOf(all)
    for (const { own } of panes.values()) for (const group of own.values()) groups.push(group)
    const used = [...new Set(groups.map(({ key }) => key))].sort((a, b) => a - b)
    const next = createGroupTable(k, keyTypes, 0)
    const places = new Map<number, number>()
    if (used.length > 0) {
      const indices = memory.scratch(4 * used.length)
      memory.u32.set(used, indices >>> 2)
      const columns = table.keysAt(indices, used.length).map(column => recode({ ...column, range: null }))
      next.cover(columns, used.length)
      const found = next.find(columns, used.length)
      for (const [i, key] of used.entries())
        places.set(key, found === 0 ? 0 : (memory.u32[(found >>> 2) + i] as number))
    }
    const moved = own
    own = []
    for (const [key, place] of places) if (moved[key] !== undefined) own[place] = moved[key]
    const renumber = (groups: Map<number, Group>): void => {
      const mine = [...groups.values()]
      groups.clear()
      for (const group of mine) {
        group.key = places.get(group.key) ?? 0
        groups.set(group.key, group)
      }
    }
    for (const pane of panes.values()) {
      pane.groups.clear()
      renumber(pane.own)
    }
    for (const window of all) renumber(window.groups)
    table.free()
    table = next
    memory.reset(mark)
  }

  return {
    label: `top ${top.count}${keyColumns.length === 0 ? '' : ` by ${spec.keys.slice(keysFrom).join(', ')}`}`,
    consume,
    advance,
    isPending: false,
    renew(renewed) {
      const recode = (column: LaneVector) => renewed.recode(column)
      move(recode)
      kept.recode(recode)
      renewOne(texts, renewed, names.length)
    },
    tick: () => (emits === 'kept' ? tell([...changed]) : []),
    get size() {
      return groupCount
    },
    free() {
      kept.free()
      table.free()
      texts.clear()
    },
  }
}

/** Told together, those of one window have the same bounds. */
const inTurn = (a: Told, b: Told): number => (a.window === b.window ? 0 : inOrder(a, b)) || a.order - b.order

/** Few to look through, one after another. */
const FEW = 16

function without(rows: readonly KeptRow[], others: readonly KeptRow[]): readonly KeptRow[] {
  if (rows.length === 0 || others.length === 0) return rows
  if (others.length <= FEW) return rows.filter(row => !others.includes(row))
  const known = new Set(others)
  return rows.filter(row => !known.has(row))
}
