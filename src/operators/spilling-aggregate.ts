/**
 * `groupBy().aggregate()` of a job with a budget: the plain operator (aggregate.ts) until its groups take too much room; then they are written by shares
 * of their keys' hash, and it begins anew. In the end each share is merged by itself (spilled-groups.ts), and results are sorted by the place of each
 * group's first row, in memory or in the file likewise (sorted-runs.ts).
 *
 * ```
 *            consume       plain operator ──(too large)── 64 shares in the file ── plain operator, empty ── ...
 *   one lane emit          share by share: merged ── results ── by rank
 *   more     exchange      pieces to the lanes whose share they are of ── merged there ── results to the lanes where groups first appeared ── by rank
 * ```
 * Groups that make others (grouping sets, windows that overlap) go to the first lane, and from there to spilled-sets.ts or spilled-windows.ts.
 * Once one lane has spilled all lanes that take part in the exchange write what they have. Without keys there is one group: keyless-aggregate.ts.
 */
import { int64, type SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { keyBits } from '../kernels/key-words.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import type { Stage } from '../plan/physical.js'
import { columnsMade, createAggregate, type SplitRows } from './aggregate.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import { batchBytes, batchOfBytes } from './batch-bytes.js'
import type { OperatorContext, Partitions } from './build.js'
import { createOneDictionary } from './one-dictionary.js'
import type { Breaker, Exchange, Morsel, PartitionPart } from './operator.js'
import { sliceMorsel } from './slice-morsel.js'
import { createSortedRuns, splitBySplit } from './sorted-runs.js'
import { addSpilled, type Piece, type Spill, type Spilled, type SpillFile } from './spill.js'
import { createSpilledGroups, type DerivedGroups, isMemoryLimit, SHARES } from './spilled-groups.js'
import { createSpilledSets } from './spilled-sets.js'
import { createSpilledWindows } from './spilled-windows.js'

/** Rows of which an exchange makes 64 shares. */
const SHARED_ROWS = 2_500_000
/** What is written groups by so few is not worth it, unless they keep many values. */
const LEAST_GROUPS = 512
/** Marks blocks of results between lanes; those of groups are marked by their share. */
const RESULTS = -1

export function createSpillingAggregate(
  given: OperatorContext,
  spill: Spill,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
): Breaker {
  const { k } = given
  const { memory } = k
  const { account } = spill
  // States for a whole domain, and a table in their place once the domain grows beyond it, come at a stroke.
  const slotBytes = 8 + 24 * (1 + stage.accumulators.length)
  const context: OperatorContext = { ...given, mostSlots: Math.min(2 ** 18, account.shareBytes / 10 / slotBytes) }
  const { rowsOfLane } = context.parts.partitions as Partitions
  const keyTypes = stage.keys.map(name => input[name])
  const made = columnsMade(stage)
  const resultTypes = [int64(), ...made.map(name => stage.output[name])]
  const outputOrder = Object.keys(stage.output).map(name => 1 + made.indexOf(name))
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const strings = createOneDictionary(context)
  const groups = createSpilledGroups(context, spill, keyTypes, inputs.specs, inputs.types)
  const results = createSortedRuns(context, spill, resultTypes, [{ column: 0, descending: false, nulls: 'last' }])
  /** Blocks of results on their way to other lanes. */
  const outgoing = new Map<number, Piece[]>()
  const splits = new Set<number>()
  let start: SplitRows | null = null
  let inner = createAggregate(context, stage, input)
  let hasSpilled = false
  let exchanged: { readonly lane: number; readonly laneOfSplit: Uint32Array } | null = null
  let sent: Spilled = { bytes: 0, pieces: 0, times: 0 }
  /** What was in use when the plain operator began. */
  let base = -1
  let times = 0
  /** Where groups make others, in one place: those of coarser sets, or those of windows that have panes in common. */
  const isDerived = stage.sets !== null || stage.panes !== null
  let derived: DerivedGroups | null = null
  let isFreed = false
  const unregister = spill.register({
    byteLength: () => (spill.file !== null && plain().size > 0 ? Math.max(1, stateBytes()) : 0),
    spill: () => flush(),
  })

  const plain = (): Exchange => inner.exchange as Exchange
  /** Whether it has parted rows. What states hold is not shared out where they may be written. */
  const isParted = () => plain().wanted && !plain().states
  const room = () => account.shareBytes - account.usedBytes
  const keptBytes = () => account.usedBytes - memory.scratchBytesOf(account)
  const stateBytes = () => (base < 0 ? 0 : keptBytes() - base)

  const hasGroups = (): boolean =>
    spill.file !== null && (plain().size >= LEAST_GROUPS || (plain().size > 1 && stateBytes() > account.shareBytes / 4))

  /** Whether what is kept has come to so much of what it may. Tables grow by doubling, old and new being there at once, and writing takes room too. */
  const exceeds = (part: number): boolean => {
    if (!hasGroups()) return false
    return (
      stateBytes() > part * (account.shareBytes - memory.scratchBytesOf(account) - base) ||
      keptBytes() > 0.7 * account.shareBytes
    )
  }

  /** Rows that surely fit, if each were a group of its own and what is kept had to be laid out anew for more. */
  const fittingRows = (): number => {
    if (spill.file === null) return MORSEL_ROWS
    const { size } = plain()
    const perGroup = 128 + keyTypes.reduce((sum, type) => sum + keyBits(type) / 4, 0) + 48 * inputs.specs.length
    const seen = size < LEAST_GROUPS ? 0 : stateBytes() / size
    const rows = (room() - stateBytes()) / (3 * Math.max(perGroup, seen))
    return Math.max(1024, 128 * Math.floor(rows / 128))
  }

  function consume(morsel: Morsel, ofSplit: number): void {
    const split = Math.max(0, ofSplit)
    const { rowCount } = morsel
    for (let from = 0; from < rowCount; ) {
      const count = Math.min(rowCount - from, fittingRows())
      const slice = sliceMorsel(k, morsel, from, count)
      // Rows to come may double the tables, and move all states to one of another kind; what feeds it has begun new dictionaries: none of it may take the
      // room that writing needs.
      if (hasGroups() && (4 * stateBytes() > room() || 4 * strings.toCome(slice) > room())) flush()
      if (base < 0) base = keptBytes()
      // Whose codes these are may have changed by now.
      inner.consume({ ...strings.recode(slice), rows: slice.rows }, ofSplit)
      start = { split, rowCount: (start?.split === split ? start.rowCount : 0) + count }
      from += count
      if (exceeds(1 / 4)) flush()
    }
  }

  /** Writes all groups, and begins anew. */
  function flush(): void {
    if (spill.file === null) throw account.overBudget(stateBytes())
    const mark = memory.mark()
    for (const split of plain().splits()) splits.add(split)
    if (plain().size > 0) {
      const each = plain().begin(false, SHARED_ROWS) / SHARES
      for (let share = 0; share < SHARES; share++) {
        const own = memory.mark()
        groups.write(share, partsOf(share * each, (share + 1) * each))
        memory.reset(own)
      }
    }
    inner.free()
    strings.clear()
    memory.reset(mark)
    memory.trim()
    inner = createAggregate(context, stage, input, start)
    base = -1
    hasSpilled = true
    times++
  }

  function* partsOf(first: number, end: number): Iterable<PartitionPart<LaneBatch>> {
    for (const part of plain().parts(first, end)) if (part.kind === 'partition') yield part
  }

  /** Makes the results of some shares. */
  function* finish(first: number, end: number): Iterable<null> {
    for (let share = first; share < end; share++) yield* groups.finish(share, keepResults)
  }

  const keepResults = (batch: LaneBatch) => {
    if (exchanged === null) {
      results.add(batch, 0)
      return
    }
    const { lane: own, laneOfSplit } = exchanged
    const table = memory.scratch(4 * laneOfSplit.length)
    memory.u32.set(laneOfSplit, table >>> 2)
    for (const lane of new Set(laneOfSplit)) {
      const mark = memory.mark()
      const { rows, count } = rowsOfLane(k, batch.columns[0].data, batch.rowCount, table, lane)
      if (count > 0) {
        const theirs = takeBatch(k, batch, rows, count)
        if (lane === own) results.add(theirs, 0)
        else sendLater(lane, theirs)
      }
      memory.reset(mark)
    }
  }

  const sendLater = (lane: number, batch: LaneBatch) => {
    const bytes = batchBytes(unloadBatch(k, batch, resultTypes))
    const piece = { from: (spill.file as SpillFile).write(bytes), byteLength: bytes.length, rowCount: batch.rowCount }
    sent = addSpilled(sent, { bytes: bytes.length, pieces: 1, times: 0 })
    const pieces = outgoing.get(lane)
    if (pieces === undefined) outgoing.set(lane, [piece])
    else pieces.push(piece)
  }

  const inOutputOrder = ({ rowCount, columns }: LaneBatch): Morsel => ({
    rowCount,
    columns: outputOrder.map(i => columns[i]),
    rows: 0,
  })

  const exchange: Exchange = {
    get wanted() {
      return exchange.spilled === true || isParted()
    },
    get spilled() {
      return hasSpilled || exceeds(1 / 6)
    },
    fingerprint: () => plain().fingerprint(),
    splits: () => [...new Set([...splits, ...plain().splits()])].sort((a, b) => a - b),
    get size() {
      return plain().size
    },
    begin(common, size, spilled) {
      unregister()
      if (spilled === undefined) return plain().begin(common, size)
      exchanged = spilled
      flush()
      return SHARES
    },
    *parts(first, end) {
      if (exchanged === null) yield* plain().parts(first, end)
      else {
        for (let share = first; share < end; share++) {
          for (const piece of groups.pieces(share)) yield { kind: 'block', of: share, ...piece }
        }
      }
    },
    receive(part) {
      if (part.kind !== 'block') plain().receive(part)
      else if (part.of !== RESULTS) groups.receive(part.of, part.rowCount, part.bytes)
      else {
        const mark = memory.mark()
        const loaded = createOneDictionary(context)
        results.add(loaded.load(batchOfBytes(part.bytes, resultTypes)), 0)
        loaded.clear()
        memory.reset(mark)
      }
    },
    finish: (first, end) => (exchanged === null ? plain().finish(first, end) : finish(first, end)),
    *results(lane, lanes) {
      if (exchanged === null) yield* plain().results(lane, lanes)
      for (const { from, byteLength, rowCount } of outgoing.get(lane) ?? []) {
        yield { kind: 'block', of: RESULTS, rowCount, bytes: (spill.file as SpillFile).read(from, byteLength) }
      }
    },
    *emit(lane, lanes) {
      if (exchanged === null) yield* plain().emit(lane, lanes)
      else for (const batch of results.sorted()) if (batch !== null) yield* bySplit(batch)
    },
  }

  /** Ranks begin with the split. */
  function* bySplit(batch: LaneBatch): Iterable<{ split: number; morsel: Morsel }> {
    const at = (batch.columns[0].data >>> 2) + 1
    const ofRows = Uint32Array.from({ length: batch.rowCount }, (_, i) => memory.u32[at + 2 * i])
    for (const each of splitBySplit(k, batch, ofRows)) yield { split: each.split, morsel: inOutputOrder(each.batch) }
  }

  function* emit(): Iterable<Morsel | null> {
    unregister()
    if (
      !hasSpilled &&
      !(isParted() && exceeds(1 / 6)) &&
      !(isDerived && exceeds(stage.panes === null ? 1 / 10 : 1 / 4))
    ) {
      const morsels = inner.emit()[Symbol.iterator]()
      const first = firstOf(morsels)
      if (first !== null) {
        try {
          if (!first.done) yield first.value
          for (let next = morsels.next(); !next.done; next = morsels.next()) yield next.value
        } finally {
          morsels.return?.()
        }
        return
      }
    }
    flush()
    if (isDerived) {
      derived =
        stage.panes === null
          ? createSpilledSets(context, spill, stage, input, inputs, groups)
          : createSpilledWindows(context, spill, stage, input, inputs, groups)
      for (const batch of derived.emit()) yield batch === null ? null : { ...batch, rows: 0 }
      return
    }
    yield* finish(0, SHARES)
    for (const batch of results.sorted()) yield batch === null ? null : inOutputOrder(batch)
  }

  /** Null where there is no room for all results at once, and they can be made share by share. */
  const firstOf = (morsels: Iterator<Morsel | null>): IteratorResult<Morsel | null> | null => {
    const mark = memory.mark()
    try {
      return morsels.next()
    } catch (error) {
      if (!isMemoryLimit(error) || spill.file === null || isParted()) throw error
      memory.reset(mark)
      return null
    }
  }

  return {
    label: inner.label,
    kernels: () => inner.kernels(),
    consume,
    wants: () => true,
    *handOver() {
      // What is derived is so in one place, so nothing is exchanged.
      if (!exchange.spilled) yield* inner.handOver()
      else {
        flush()
        for (let share = 0; share < SHARES; share++) {
          for (const piece of groups.pieces(share)) yield { kind: 'block', of: share, ...piece }
        }
      }
    },
    absorb(part) {
      if (base < 0) base = keptBytes()
      if (part.kind === 'block') {
        if (spill.file === null) throw account.overBudget(part.bytes.length)
        groups.receive(part.of, part.rowCount, part.bytes)
        hasSpilled = true
        return
      }
      inner.absorb(part)
      if (exceeds(1 / 4)) flush()
    },
    ...(isDerived ? {} : { exchange }),
    emit,
    get spilled() {
      const written = [groups.spilled, results.spilled, sent, ...(derived === null ? [] : [derived.spilled])].reduce(
        addSpilled,
      )
      return { ...written, times }
    },
    free() {
      if (isFreed) return
      isFreed = true
      unregister()
      inner.free()
      inputs.free()
      results.free()
      derived?.free()
      strings.clear()
    },
  }
}
