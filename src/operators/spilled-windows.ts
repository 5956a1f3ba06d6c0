/**
 * Windows put together of panes of which groups have spilled: while the shares of these are finished, their groups, states and all, are written anew for each
 * window that their pane is part of; the shares of windows are then finished in turn. window-groups.ts does the same where all is in memory.
 *
 * ```
 *   by pane, keys          share, share, ...   each: its groups by the 1st, 2nd, ... window of their pane ──┐
 *   by window, keys        share, share, ...   each: results ── by end, beginning, and first appearance
 * ```
 */
import { int64, type SchemaShape } from '../columnar/type.js'
import { take } from '../kernels/select.js'
import type { Panes } from '../plan/logical.js'
import type { Stage } from '../plan/physical.js'
import { columnsMade } from './aggregate.js'
import type { AggregateInputs } from './aggregate-inputs.js'
import type { OperatorContext, OperatorParts } from './build.js'
import { createSortedRuns } from './sorted-runs.js'
import { addSpilled, type Spill } from './spill.js'
import {
  createSpilledGroups,
  type DerivedGroups,
  type FoundGroups,
  type KeyedAnew,
  SHARES,
  type SpilledGroups,
} from './spilled-groups.js'

/** Groups are written anew for as many windows at a time as leaves each copy so much of what a lane may take; so many at least are for one window. */
const BYTES_A_COPY = 2048
const LEAST_AT_ONCE = 256

/** @param panes the groups of all panes, whose beginning is the first of their keys */
export function createSpilledWindows(
  context: OperatorContext,
  spill: Spill,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
  { specs, types }: AggregateInputs,
  panes: SpilledGroups,
): DerivedGroups {
  const { k } = context
  const { memory } = k
  const { account } = spill
  const { windowsFrom } = context.parts.windows as OperatorParts['windows']
  const [time, ...others] = stage.keys.map(name => input[name])
  const bound = { ...time, nullable: false }
  const keyTypes = [bound, bound, ...others]
  const windows = createSpilledGroups(context, spill, keyTypes, specs, types)
  const results = createSortedRuns(
    context,
    spill,
    [int64(), ...keyTypes, ...stage.accumulators.map(({ name }) => stage.output[name])],
    [2, 1, 0].map(column => ({ column, descending: false, nulls: 'last' })),
  )
  const made = columnsMade(stage)
  const outputOrder = Object.keys(stage.output).map(name => 1 + made.indexOf(name))

  /** So many groups of panes for windows of theirs, from the one at such a place up to another: all of one place, then all of the next. */
  function* inWindows({ keys }: FoundGroups, from: number, count: number, first: number, end: number) {
    const [starts, ...others] = keys
    const places = new Map<bigint, number>()
    const at = (starts.data >>> 3) + from
    const paneOf = Uint32Array.from(memory.i64.subarray(at, at + count), start => {
      const place = places.get(start) ?? places.size
      places.set(start, place)
      return place
    })
    const windowAt = Array.from(places.keys(), start => windowsFrom(stage.panes as Panes, start))
    for (let place = first; place < end; place++) {
      const mark = memory.mark()
      const windows = windowAt.map(of => of(place))
      const [indices, panes] = [memory.scratch(4 * count), memory.scratch(4 * count)]
      const bounds = (['start', 'end'] as const).map(side => {
        const data = memory.scratch(8 * windows.length)
        for (const [i, window] of windows.entries()) memory.i64[(data >>> 3) + i] = window?.[side] ?? 0n
        return { ...starts, type: bound, length: windows.length, data, range: null }
      })
      const { u32 } = memory
      let rows = 0
      for (let row = 0; row < count; row++) {
        if (windows[paneOf[row]] === null) continue
        u32[(indices >>> 2) + rows] = from + row
        u32[(panes >>> 2) + rows++] = paneOf[row]
      }
      const own = [...bounds.map(each => take(k, each, panes, rows)), ...others.map(key => take(k, key, indices, rows))]
      if (rows > 0) yield { keys: own, indices, count: rows } satisfies KeyedAnew
      memory.reset(mark)
    }
  }

  const derive = (groups: FoundGroups) => {
    const { size, pane } = stage.panes as Panes
    const most = Number(size / pane)
    const copies = account.shareBytes / BYTES_A_COPY
    const atOnce = Math.max(LEAST_AT_ONCE, Math.floor(copies / most))
    for (let from = 0; from < groups.rowCount; from += atOnce) {
      const count = Math.min(atOnce, groups.rowCount - from)
      const step = Math.max(1, Math.floor(copies / count))
      for (let place = 0; place < most; place += step)
        windows.add(groups, inWindows(groups, from, count, place, Math.min(most, place + step)))
    }
  }

  return {
    get spilled() {
      return addSpilled(windows.spilled, results.spilled)
    },
    *emit() {
      for (let share = 0; share < SHARES; share++) yield* panes.finish(share, null, derive)
      for (let share = 0; share < SHARES; share++) yield* windows.finish(share, batch => results.add(batch, 0))
      for (const batch of results.sorted())
        yield batch === null ? null : { ...batch, columns: outputOrder.map(i => batch.columns[i]) }
    },
    free: () => results.free(),
  }
}
