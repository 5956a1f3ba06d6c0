/**
 * `dedupe`, and a group-by that asks for nothing but first values that are never null: the first row of every group, in the order of rows. No state is kept for
 * a group, and no row is moved but to where it is given.
 *
 * ```
 * few groups   a group table says which rows are first: they are kept, the others are not
 * many         rows stay where they are; their keys are parted by a hash, and lanes share the partitions
 *              key words ── a table a partition, in the caches ── a bit a row: whether it is the first of its group
 *              each lane gives its own rows whose bits are set
 * ```
 */
import { isFloat, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { bitmapBytes } from '../kernels/bitmap.js'
import { applyMarks, copyWords, markFirst, unseenRows } from '../kernels/first-rows.js'
import { createGroupTable } from '../kernels/group.js'
import { createHashIndex } from '../kernels/hash.js'
import { createKeyStore } from '../kernels/key-store.js'
import { layoutKeys, packKeys, unpackKeys } from '../kernels/key-words.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { keyPlanes, orderRows, PARTITIONS } from '../kernels/radix.js'
import { selection, take, takeBatch } from '../kernels/select.js'
import { freeVector } from '../kernels/transfer-batch.js'
import { MOST_GROUPS } from '../plan/needs.js'
import type { Stage } from '../plan/physical.js'
import { createAggregateInputs } from './aggregate-inputs.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { byteLengthOf, joined } from './heap-batch.js'
import { meteredExchange } from './metered-host.js'
import type { Breaker, ExchangeHost, ExchangeTerms, Morsel, Part } from './operator.js'
import { planeColumns } from './share-groups.js'

/** Rows of which the keys are told apart at a time: more are out of the caches. */
const ROWS_AT_ONCE = 49_152
/** Copied rows beyond which those that are not first are let go of before the end. */
const MOST_BYTES = 2 ** 29

/** Keys in the order of their partitions, and which of their rows are first. */
interface PartedKeys {
  readonly split: number
  readonly planes: readonly LaneVector[]
  /** Where each partition begins, and the end; the first of them is partition `first`. */
  readonly starts: Uint32Array<ArrayBuffer>
  readonly first: number
  /** u32 pointer to the row at each place; 0: the place itself. */
  readonly rows: number
  /** Bitmap of rows. */
  readonly marks: number
}

/** Rows of this lane: columns are keys, then values. */
interface Block extends LaneBatch {
  readonly split: number
  /** What is not held by others. */
  readonly owned: readonly LaneVector[]
  keys: PartedKeys | null
}

/** Null where the stage asks for more. */
export function createFirstRows(
  context: OperatorContext,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
): Breaker | null {
  const isFirst = stage.accumulators.every(
    ({ function: name, inputTypes: [type], where }) => name === 'first' && where === null && !type.nullable,
  )
  if (stage.keys.length === 0 || stage.sets !== null || stage.panes !== null || !isFirst) return null
  const { k, mostGroups = MOST_GROUPS } = context
  const { memory } = k
  const names = Object.keys(input)
  const keyTypes = stage.keys.map(name => input[name])
  const keyColumns = stage.keys.map(name => names.indexOf(name))
  const made = [...stage.keys, ...stage.accumulators.map(({ name }) => name)]
  const outputOrder = Object.keys(stage.output).map(name => made.indexOf(name))
  // The same in all lanes, whatever they know of their rows.
  const layout = layoutKeys(keyTypes)
  const { width } = layout
  const texts = keyTypes.flatMap(({ kind }, i) => (kind === 'utf8' ? [i] : []))
  const inputs = createAggregateInputs(context, stage.accumulators, input)
  const table = createGroupTable(k, keyTypes, context.mostSlots)
  const loader = createBatchLoader(context)
  const wordLoader = createBatchLoader(context)
  const keyLoader = createBatchLoader(context)
  const blocks: Block[] = []
  /** Keys of other lanes, by lane in the order in which they came. */
  const received = new Map<number, (PartedKeys & { readonly rowCount: number })[]>()
  /** A byte a group of the table. */
  let seen = 0
  let seenLength = 0
  let isParted = false
  let hasOthers = false
  let bytes = 0
  let mostBytes = MOST_BYTES
  let isFreed = false

  const room = (taken: number[]) => (byteLength: number) => taken[taken.push(memory.allocate(byteLength)) - 1]

  /** Allocates in heap blocks, all of them or none. */
  function kept<T>(make: (room: (byteLength: number) => number) => T): T {
    const taken: number[] = []
    try {
      return make(room(taken))
    } catch (error) {
      for (const pointer of taken) memory.free(pointer)
      throw error
    }
  }

  function push(split: number, rowCount: number, columns: readonly LaneVector[], owned: readonly LaneVector[]): void {
    for (const [i, column] of columns.entries()) {
      const dictionary = dictionaryOf(column)
      if (dictionary === null) continue
      loader.adopt(i, dictionary)
      if (i < keyTypes.length) keyLoader.adopt(i, dictionary)
    }
    const block: Block = { split, rowCount, columns, owned, keys: null }
    blocks.push(block)
    bytes += byteLengthOf({ rowCount, columns: owned })
    if (!isParted) return
    partKeys(block)
    if (bytes > mostBytes) compact()
  }

  const keep = (split: number, { columns }: Pick<LaneBatch, 'columns'>, rows: number, count: number) => {
    if (count === 0) return
    const own = kept(at => columns.map(column => take(k, column, rows, count, at)))
    push(split, count, own, own)
  }

  function consume(morsel: Morsel, given: number): void {
    const { rowCount } = morsel
    if (rowCount === 0) return
    const split = Math.max(0, given)
    const keys = keyColumns.map(i => morsel.columns[i])
    const values = inputs.evaluate(morsel)
    const columns = [...keys, ...inputs.specs.map(({ inputIndex }) => values[inputIndex].vectors[0])]
    if (isParted) {
      const owned: LaneVector[] = []
      try {
        const all = columns.map(column => {
          if (morsel.isHeld && morsel.columns.some(({ data }) => data === column.data)) return column
          return owned[owned.push(joined(k, [column])) - 1]
        })
        push(split, rowCount, all, owned)
      } catch (error) {
        if (blocks.at(-1)?.owned !== owned) for (const column of owned) freeVector(k, column)
        throw error
      }
      return
    }
    const move = table.cover(keys, rowCount)
    if (move !== null) {
      reserveSeen(table.indexCount)
      memory.u8.fill(0, seen, seen + seenLength)
      for (let i = 0; i < move.count; i++) memory.u8[seen + (move.to === 0 ? i : memory.u32[(move.to >>> 2) + i])] = 1
    }
    const groups = table.find(keys, rowCount)
    reserveSeen(table.indexCount)
    const { rows, count } = unseenRows(k, groups, rowCount, seen)
    keep(split, { columns }, rows, count)
    if (table.order === 0 && table.length > mostGroups) isParted = true
  }

  function reserveSeen(count: number): void {
    if (count <= seenLength) return
    const length = Math.max(count, 2 * seenLength, 1024)
    seen = memory.reallocate(seen, length)
    memory.u8.fill(0, seen + seenLength, seen + length)
    seenLength = length
  }

  function partKeys(block: Block): void {
    const { columns, rowCount, split } = block
    const keys = columns.slice(0, keyTypes.length)
    const mark = memory.mark()
    const planes = keyPlanes(k, layout, keys, rowCount)
    const dictionaries = keys.map(({ dictionary }) => dictionary)
    const { rows, starts } = orderRows(k, layout, planes, rowCount, dictionaries)
    block.keys = kept(at => {
      const parted = planeColumns(planes, width, rowCount).map(plane => take(k, plane, rows, rowCount, at))
      const places = at(4 * rowCount)
      memory.u8.copyWithin(places, rows, rows + 4 * rowCount)
      return { split, planes: parted, starts, first: 0, rows: places, marks: unmarked(at, rowCount) }
    })
    memory.reset(mark)
  }

  const unmarked = (at: (byteLength: number) => number, rowCount: number): number => {
    const marks = at(bitmapBytes(rowCount))
    memory.u8.fill(0, marks, marks + bitmapBytes(rowCount))
    return marks
  }

  /** Parts the keys of all blocks, one at a time. */
  function* partAll(): Iterable<null> {
    isParted = true
    for (const block of blocks) {
      if (block.keys !== null) continue
      partKeys(block)
      yield null
    }
  }

  /** Marks the first rows of some partitions, of this lane's rows and those received. */
  function* finish(first: number, end: number, size: number): Iterable<null> {
    const all = [...blocks.map(({ keys }) => keys as PartedKeys), ...[...received.values()].flat()]
    all.sort((a, b) => a.split - b.split)
    const stride = Math.max(1, Math.floor((ROWS_AT_ONCE * PARTITIONS) / Math.max(1, size)))
    for (let from = first; from < end; from += stride) {
      group(all, from, Math.min(end, from + stride))
      yield null
    }
  }

  function group(all: readonly PartedKeys[], from: number, to: number): void {
    const mark = memory.mark()
    const pieces = all.map(keys => ({ keys, start: keys.starts[from - keys.first], end: keys.starts[to - keys.first] }))
    const rowCount = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
    if (rowCount === 0) return
    const words = memory.scratch(8 * width * rowCount)
    let at = words
    for (const { keys, start, end } of pieces) {
      copyWords(k, keys.planes, start, end, at)
      at += 8 * width * (end - start)
    }
    const store = createKeyStore(k, width)
    try {
      const index = createHashIndex(k, store, 8, rowCount >>> 1)
      try {
        const groups = memory.scratch(4 * rowCount)
        index.find(words, rowCount, groups)
        let next = 0
        let row = 0
        for (const { keys, start, end } of pieces) {
          const rows = keys.rows && keys.rows + 4 * start
          next = markFirst(k, groups + 4 * row, end - start, next, rows, start, keys.marks)
          row += end - start
        }
      } finally {
        index.free()
      }
    } finally {
      store.free()
    }
    memory.reset(mark)
  }

  /** In the middle: rows of this lane that are not the first of it can be no first ones. */
  function compact(): void {
    for (const _ of finish(0, PARTITIONS, rowsHere()));
    const before = blocks.splice(0)
    bytes = 0
    mostBytes = Infinity
    for (const block of before) {
      const mark = memory.mark()
      const { indices, count } = selection(k, (block.keys as PartedKeys).marks, block.rowCount)
      keep(block.split, block, indices, count)
      memory.reset(mark)
      freeBlock(block)
    }
    mostBytes = Math.max(MOST_BYTES, 2 * bytes)
  }

  const rowsHere = (): number => blocks.reduce((sum, { rowCount }) => sum + rowCount, 0)

  const madeTypes = [...keyTypes, ...stage.accumulators.map(({ inputTypes: [type] }) => type)]
  const floats = madeTypes.flatMap(({ kind }, i) => (isFloat(kind) ? [i] : []))
  const floatLayout = layoutKeys(floats.map(i => madeTypes[i]))

  /** Results have one zero and one NaN, whichever their rows had: as keys have them. */
  const asOutput = ({ rowCount, columns }: LaneBatch): Morsel => {
    const all = [...columns]
    if (floats.length > 0) {
      const words = memory.scratch(8 * floatLayout.width * rowCount)
      const own = floats.map(i => columns[i])
      packKeys(k, floatLayout, own, 0, rowCount, words)
      const alike = unpackKeys(
        k,
        floatLayout,
        words,
        rowCount,
        own.map(() => null),
      )
      for (const [at, i] of floats.entries()) all[i] = { ...alike[at], type: columns[i].type }
    }
    return { rowCount, columns: outputOrder.map(i => all[i]), rows: 0 }
  }

  const inOrder = (): readonly Block[] => blocks.sort((a, b) => a.split - b.split)

  function* marked(): Iterable<{ readonly split: number; readonly morsel: Morsel }> {
    for (const block of inOrder()) {
      const { indices, count } = selection(k, (block.keys as PartedKeys).marks, block.rowCount)
      if (count > 0) yield { split: block.split, morsel: asOutput(takeBatch(k, block, indices, count)) }
    }
  }

  /** What a lane is sent of some partitions: key words, or where strings have other codes there the keys themselves. */
  function* keysFor(own: readonly Block[], first: number, end: number, common: boolean): Iterable<Part<LaneBatch>> {
    for (const block of own) {
      const { planes, starts, rows } = block.keys as PartedKeys
      const [from, to] = [starts[first], starts[end]]
      const count = to - from
      const columns = common
        ? planes.map(plane => ({ ...plane, data: plane.data + 8 * from, length: count }))
        : block.columns.slice(0, keyTypes.length).map(column => take(k, column, rows + 4 * from, count))
      const relative = starts.slice(first, end + 1).map(start => start - from)
      yield { kind: 'rows', split: block.split, batch: { rowCount: count, columns }, starts: relative }
    }
  }

  function receiveKeys(lane: number, part: Part<VectorBatch>, first: number, common: boolean): void {
    if (part.kind !== 'rows' || part.starts === undefined) throw new Error('keys of rows are exchanged here')
    const { batch, split, starts } = part
    const { rowCount } = batch
    let planes: readonly LaneVector[]
    if (common) planes = wordLoader.load(batch, 'heap').columns
    else {
      const words = keyPlanes(k, layout, keyLoader.load(batch).columns, rowCount)
      planes = kept(at =>
        planeColumns(words, width, rowCount).map(plane => {
          const data = at(8 * rowCount)
          memory.u8.copyWithin(data, plane.data, plane.data + 8 * rowCount)
          return { ...plane, data }
        }),
      )
    }
    const own = received.get(lane) ?? []
    received.set(lane, own)
    own.push({ split, planes, starts, first, rows: 0, rowCount, marks: 0 })
    own[own.length - 1] = { ...own[own.length - 1], marks: kept(at => unmarked(at, rowCount)) }
  }

  function* marksFor(lane: number): Iterable<Part<LaneBatch>> {
    for (const [of, { marks, rowCount }] of (received.get(lane) ?? []).entries())
      yield { kind: 'block', of, rowCount, bytes: memory.bytes(marks, Math.ceil(rowCount / 8)).slice() }
  }

  function receiveMarks({ keys }: Block, part: Part<VectorBatch>, first: number): void {
    if (part.kind !== 'block') throw new Error('marks of rows are exchanged here')
    const bits = memory.scratch(part.bytes.length)
    memory.u8.set(part.bytes, bits)
    const { starts, rows, marks } = keys as PartedKeys
    applyMarks(k, bits, part.rowCount, rows + 4 * starts[first], marks)
  }

  async function carryOut(host: ExchangeHost, { lanes, common: isCommon, size }: ExchangeTerms): Promise<void> {
    const common = isCommon || texts.length === 0
    const others = lanes.filter(lane => lane !== host.lane)
    const shareOf = (lane: number): [number, number] => {
      const i = lanes.indexOf(lane)
      return [Math.floor((PARTITIONS * i) / lanes.length), Math.floor((PARTITIONS * (i + 1)) / lanes.length)]
    }
    const [first, end] = shareOf(host.lane)
    const both = (
      send: (to: number) => Iterable<Part<LaneBatch>>,
      take: (from: number, part: Part<VectorBatch>) => void,
    ) =>
      Promise.all([
        ...others.map(from => host.receive(from, part => take(from, part))),
        (async () => {
          for (const to of others) await host.send(to, send(to))
        })(),
      ])
    await host.each(partAll(), () => true)
    const own = inOrder()
    await both(
      to => keysFor(own, ...shareOf(to), common),
      (from, part) => receiveKeys(from, part, first, common),
    )
    await host.each(finish(first, end, size), () => true)
    await both(marksFor, (from, part) => {
      if (part.kind === 'block') receiveMarks(own[part.of], part, shareOf(from)[0])
    })
    await host.each(marked(), ({ split, morsel }) => {
      host.give(morsel, split)
      return true
    })
  }

  function freeKeys({ planes, rows, marks }: PartedKeys): void {
    for (const plane of planes) freeVector(k, plane)
    memory.free(rows)
    memory.free(marks)
  }

  function freeBlock({ owned, keys }: Block): void {
    for (const column of owned) freeVector(k, column)
    if (keys !== null) freeKeys(keys)
  }

  return {
    label: `aggregate by ${stage.keys.join(', ')}`,
    kernels: () => [`group: ${table.kernel}${isParted ? ', parted' : ''}`, 'first rows'],
    consume,
    wants: () => true,
    *handOver() {
      for (const { split, rowCount, columns } of inOrder()) yield { kind: 'rows', split, batch: { rowCount, columns } }
    },
    absorb(part) {
      if (part.kind !== 'rows') throw new Error(`rows are absorbed here, not ${part.kind}`)
      hasOthers = true
      const { columns, rowCount } = loader.load(part.batch, 'heap')
      push(part.split, rowCount, columns, columns)
    },
    exchange: {
      reorders: false,
      get wanted() {
        return isParted
      },
      get size() {
        return rowsHere()
      },
      fingerprint: () =>
        JSON.stringify(
          texts.map(i => {
            const dictionary = blocks.find(({ columns }) => columns[i].dictionary !== null)?.columns[i].dictionary
            return [dictionary?.length, dictionary?.fingerprint()]
          }),
        ),
      splits: () => [...new Set(blocks.map(({ split }) => split))],
      carryOut,
      metered(meter) {
        return meteredExchange(this, meter)
      },
    },
    *emit() {
      if (!isParted && !hasOthers) {
        for (const block of inOrder()) yield asOutput(block)
        return
      }
      yield* partAll()
      yield* finish(0, PARTITIONS, rowsHere())
      for (const { morsel } of marked()) yield morsel
    },
    free() {
      if (isFreed) return
      isFreed = true
      inputs.free()
      table.free()
      memory.free(seen)
      for (const block of blocks.splice(0)) freeBlock(block)
      for (const list of received.values()) for (const keys of list) freeKeys(keys)
      received.clear()
      for (const each of [loader, wordLoader, keyLoader]) each.close()
    },
  }
}
