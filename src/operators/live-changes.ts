/**
 * What of a live aggregate has changed since the last telling, and as what it had been given: groups without windows, those of windows that follow one another, or of windows
 * that overlap. live-aggregate.ts has the cells, and says what they come to; here is which of them are asked for, and when.
 */
import type { DataType } from '../columnar/type.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { take } from '../kernels/select.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import { lowerBound } from './lower-bound.js'
import { sameGroups, sameRows } from './same-rows.js'

export interface LiveChanges<W> {
  /** Cells are about to change: keeps what has been given of them as it is. From `earlier` on they have had no row yet. */
  touch(cells: Uint32Array | readonly number[], earlier: number): void
  /** What has changed since the last time, first as it was; of what has come to the same as before nothing is told. Of windows also only those with such an end: the others wait. */
  tell(isDue?: IsDue): Iterable<LaneBatch>
  readonly hasAny: boolean
  /** Whether anything waits to be told. */
  readonly isPending: boolean
  /** A window is over. */
  forget(window: W): void
  /** Cells are about to be numbered anew: the answer is told how, once they are. Those that are gone have no number. */
  renumber(): (numbers: ReadonlyMap<number, number>) => void
  free(): void
}

type IsDue = (end: bigint) => boolean

interface Groups {
  readonly keyCount: number
  /** Cells that there is room for. */
  readonly cellCount: () => number
  /** All at once, or in several batches, each good until the next is asked for. */
  cellsNow(cells: ArrayLike<number>, weight: number): Iterable<LaneBatch>
}

export function createChangedGroups<W>(k: Kernels, { keyCount, cellCount, cellsNow }: Groups): LiveChanges<W> {
  const { memory } = k
  const changed = createChangedCells()
  let given: Uint8Array = new Uint8Array(64)
  const before: LaneBatch[] = []
  /** Whose these are. */
  const cellsBefore = new WeakMap<LaneBatch, readonly number[]>()

  const grow = (): void => {
    changed.grow(cellCount())
    given = grown(given, cellCount())
  }

  /** Which rows that were told are as now; `same` is told too, by rows of now, which are those of these cells, ascending. */
  function sameAs(was: LaneBatch, now: LaneBatch, cells: Uint32Array, same: Uint8Array): Uint8Array | null {
    const mine = cellsBefore.get(was)
    if (mine === undefined) return null
    const rows = Uint32Array.from(mine, cell => lowerBound(cells, cell))
    const found = sameRows(k, was, now, rows, keyCount, was.columns.length - 1)
    for (let row = 0; row < found.length; row++) if (found[row] === 1) same[rows[row] as number] = 1
    return found
  }

  return {
    touch(cells) {
      grow()
      const fresh: number[] = []
      for (let row = 0; row < cells.length; row++) {
        const cell = cells[row] as number
        if (changed.add(cell) && given[cell] === 1) fresh.push(cell)
      }
      if (fresh.length === 0) return
      for (const batch of cellsNow(fresh, -1)) {
        const kept = copyToHeap(k, batch)
        before.push(kept)
        if (batch.rowCount === fresh.length) cellsBefore.set(kept, fresh)
      }
    },
    *tell() {
      const mark = memory.mark()
      const told = before.splice(0)
      const cells = changed.take()
      grow()
      for (const cell of cells) given[cell] = 1
      try {
        let now: LaneBatch | null = null
        // As they are until the next are asked for.
        for (now of cells.length === 0 ? [] : cellsNow(cells, 1)) {
          const same = now.rowCount === cells.length && told.length > 0 ? new Uint8Array(cells.length) : null
          for (const batch of told) yield* without(k, batch, same && sameAs(batch, now, cells, same))
          yield* without(k, now, same)
        }
        if (now === null) yield* told
      } finally {
        for (const batch of told) freeHeapBatch(k, batch)
        memory.reset(mark)
      }
    },
    get hasAny() {
      return changed.size > 0
    },
    get isPending() {
      return before.length > 0 || changed.size > 0
    },
    forget() {},
    // Nothing waits where they are, and all stay.
    renumber: () => () => {},
    free() {
      for (const batch of before.splice(0)) freeHeapBatch(k, batch)
    },
  }
}

interface Windows<W> {
  /** Of what is given: bounds and keys. */
  readonly groupTypes: readonly DataType[]
  /** Of what is given, the column of the windows' ends. */
  readonly endColumn: number
  endOf(window: W): bigint
  /** Whether a change of the window is to be told now. */
  isTold(window: W): boolean
  /** In their order, each made of these of its cells. */
  windowsNow(all: Iterable<readonly [window: W, cells: readonly number[]]>, weight: number): Iterable<LaneBatch>
}

/** Of windows that follow one another: each cell is of one. */
export function createChangedWindows<W>(
  k: Kernels,
  windows: Windows<W> & { readonly cellCount: () => number; windowOf(cell: number): W },
): LiveChanges<W> {
  const { windowOf, endOf, isTold, windowsNow, cellCount } = windows
  const changed = createChangedCells()
  const { before, tell, free } = createTelling(k, windows, isDue =>
    windowsNow(byWindow(changed.take(isDue && (cell => isDue(endOf(windowOf(cell)))))), 1),
  )

  function byWindow(cells: Iterable<number>): Map<W, number[]> {
    const found = new Map<W, number[]>()
    for (const cell of cells) {
      const window = windowOf(cell)
      const mine = found.get(window)
      if (mine === undefined) found.set(window, [cell])
      else mine.push(cell)
    }
    return found
  }

  return {
    touch(cells, earlier) {
      changed.grow(cellCount())
      const told: number[] = []
      for (let row = 0; row < cells.length; row++) {
        const cell = cells[row] as number
        if (!changed.has(cell) && isTold(windowOf(cell)) && changed.add(cell) && cell < earlier) told.push(cell)
      }
      for (const batch of windowsNow(byWindow(told), -1)) before.push(copyToHeap(k, batch))
    },
    tell,
    get hasAny() {
      return changed.size > 0
    },
    get isPending() {
      return before.length > 0 || changed.size > 0
    },
    forget() {},
    renumber: () => changed.renumber,
    free,
  }
}

/** Of windows that overlap: a cell is of several, and what changes of each is told by keys. */
export function createChangedPanes<W>(
  k: Kernels,
  windows: Windows<W> & {
    windowsOf(cell: number): readonly W[]
    keyOf(cell: number): number
    /** The cells of a window that have a key. */
    cellsOf(window: W, key: number): readonly number[]
  },
): LiveChanges<W> {
  const { windowsOf, keyOf, cellsOf, endOf, isTold, windowsNow } = windows
  let changed = new Map<W, Set<number>>()
  const { before, tell, free } = createTelling(k, windows, isDue => {
    const all = changed
    changed = new Map()
    for (const [window, keys] of all) {
      if (isDue === undefined || isDue(endOf(window))) continue
      changed.set(window, keys)
      all.delete(window)
    }
    return windowsNow(cellsIn(all), 1)
  })

  function* cellsIn(all: Map<W, Set<number>>, to = Infinity): Generator<readonly [W, readonly number[]]> {
    for (const [window, keys] of all)
      yield [window, Array.from(keys).flatMap(key => cellsOf(window, key).filter(cell => cell < to))]
  }

  return {
    touch(cells, earlier) {
      const told = new Map<W, Set<number>>()
      for (const cell of new Set(cells)) {
        const key = keyOf(cell)
        for (const window of windowsOf(cell)) {
          if (!isTold(window)) continue
          const known = keysIn(changed, window)
          if (known.has(key)) continue
          known.add(key)
          keysIn(told, window).add(key)
        }
      }
      for (const batch of windowsNow(cellsIn(told, earlier), -1)) before.push(copyToHeap(k, batch))
    },
    tell,
    get hasAny() {
      return changed.size > 0
    },
    get isPending() {
      return before.length > 0 || changed.size > 0
    },
    forget: window => changed.delete(window),
    renumber() {
      const cells = Array.from(changed, ([window, keys]) => {
        return [window, Array.from(keys, key => cellsOf(window, key))] as const
      })
      return numbers => {
        const keyAt = (cells: readonly number[]) =>
          keyOf(numbers.get(cells.find(cell => numbers.has(cell)) as number) as number)
        changed = new Map(cells.map(([window, ofKeys]) => [window, new Set(ofKeys.map(keyAt))]))
      }
    },
    free,
  }
}

function keysIn<W>(keys: Map<W, Set<number>>, window: W): Set<number> {
  let known = keys.get(window)
  if (known === undefined) {
    known = new Set()
    keys.set(window, known)
  }
  return known
}

/** What was, and what is in its place, without groups that have come to the same. */
function createTelling(
  k: Kernels,
  { groupTypes, endColumn }: Pick<Windows<unknown>, 'groupTypes' | 'endColumn'>,
  changedNow: (isDue: IsDue | undefined) => Iterable<LaneBatch>,
) {
  const { memory } = k
  const before: LaneBatch[] = []

  /** Takes what was of these out of what is kept. */
  function taken(isDue: IsDue): LaneBatch[] {
    const due: LaneBatch[] = []
    for (const batch of before.splice(0)) {
      const ends = (batch.columns[endColumn] as LaneVector).data >>> 3
      const parts: [rest: number[], due: number[]] = [[], []]
      for (let row = 0; row < batch.rowCount; row++) parts[isDue(memory.i64[ends + row] as bigint) ? 1 : 0].push(row)
      const isWhole = parts.some(rows => rows.length === 0)
      for (const [i, rows] of parts.entries())
        if (rows.length > 0) (i === 0 ? before : due).push(isWhole ? batch : copyToHeap(k, rowsOf(k, batch, rows)))
      if (!isWhole) freeHeapBatch(k, batch)
    }
    return due
  }

  function* changes(was: readonly LaneBatch[], is: Iterable<LaneBatch>): Iterable<LaneBatch> {
    let isFirst = true
    for (const now of is) {
      // As they are until the next are asked for: of those that do not come at once all is told.
      const same = isFirst && was.length > 0 ? new Uint8Array(now.rowCount) : null
      if (isFirst)
        for (const batch of was) yield* without(k, batch, same && sameGroups(k, batch, now, groupTypes, same))
      isFirst = false
      yield* without(k, now, same)
    }
    if (isFirst) yield* was
  }

  return {
    before,
    *tell(isDue?: IsDue): Iterable<LaneBatch> {
      const mark = memory.mark()
      const told = isDue === undefined ? before.splice(0) : taken(isDue)
      try {
        yield* changes(told, changedNow(isDue))
      } finally {
        for (const batch of told) freeHeapBatch(k, batch)
        memory.reset(mark)
      }
    },
    free() {
      for (const batch of before.splice(0)) freeHeapBatch(k, batch)
    },
  }
}

/** Cells that have changed since they were last taken. */
function createChangedCells() {
  let isChanged: Uint8Array = new Uint8Array(64)
  let cells: number[] = []
  return {
    get size() {
      return cells.length
    },
    grow(cellCount: number) {
      isChanged = grown(isChanged, cellCount)
    },
    has: (cell: number): boolean => isChanged[cell] === 1,
    /** Whether it had not. */
    add(cell: number): boolean {
      if (isChanged[cell] === 1) return false
      isChanged[cell] = 1
      cells.push(cell)
      return true
    },
    /** From the first that appeared on; all, or those that do, the others staying. */
    take(does?: (cell: number) => boolean): Uint32Array {
      const taken = does === undefined ? cells : cells.filter(does)
      cells = does === undefined ? [] : cells.filter(cell => !does(cell))
      for (const cell of taken) isChanged[cell] = 0
      return Uint32Array.from(taken).sort()
    },
    renumber(numbers: ReadonlyMap<number, number>) {
      isChanged.fill(0)
      cells = cells.map(cell => numbers.get(cell) as number)
      for (const cell of cells) isChanged[cell] = 1
    },
  }
}

function grown(bytes: Uint8Array, count: number): Uint8Array {
  if (bytes.length >= count) return bytes
  const larger = new Uint8Array(2 * count)
  larger.set(bytes)
  return larger
}

/** A batch without the rows that are marked, in scratch. */
function* without(k: Kernels, batch: LaneBatch, marked: Uint8Array | null): Iterable<LaneBatch> {
  if (marked === null || !marked.includes(1)) {
    yield batch
    return
  }
  const rows: number[] = []
  for (let row = 0; row < marked.length; row++) if (marked[row] === 0) rows.push(row)
  if (rows.length > 0) yield rowsOf(k, batch, rows)
}

/** Some rows of a batch, in scratch. */
export function rowsOf(k: Kernels, batch: LaneBatch, rows: readonly number[]): LaneBatch {
  const places = k.memory.scratch(4 * rows.length)
  k.memory.u32.set(rows, places >>> 2)
  return {
    rowCount: rows.length,
    columns: batch.columns.map(column => ({ ...take(k, column, places, rows.length), range: null })),
  }
}
