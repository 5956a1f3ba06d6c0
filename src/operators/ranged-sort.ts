/**
 * Many rows in the order of their keys: parted by ranges of the first key, each range sorted by itself, in the caches, and given behind the one before. Where the
 * bounds lie a sample says; they never change the answer.
 *
 * ```
 * sample      some keys of every lane ── lane 0 sorts them ── bounds, the same for all
 * part        each morsel's rows in the order of their ranges; a lane's share is ranges next to one another
 * exchange    slices of morsels to the lanes whose share they are
 * emit        range by range: its rows of all morsels in the order of these, sorted stably by all keys
 * ```
 */
import type { VectorBatch } from '../columnar/vector.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { dataBytes, elementBytes } from '../kernels/operand.js'
import { joinPieces, MOST_RANGE_BITS, type Piece, partitionsOf, rangeRows } from '../kernels/ranges.js'
import { slice, take, takeBatch } from '../kernels/select.js'
import { argsort, type ColumnKey, sortKeysOf } from '../kernels/sort.js'
import { MOST_GROUPS } from '../plan/needs.js'
import type { OperatorContext } from './build.js'
import { concatenate, freeHeapBatch, joined } from './heap-batch.js'
import { meteredExchange } from './metered-host.js'
import type { ExchangeHost, ExchangeTerms, Morsel, OwnExchange, Part } from './operator.js'

import { RowStore } from './row-store.js'

export interface RangedSort {
  /** All rows of the store, sorted; this lane has them all. */
  emit(): Iterable<Morsel | null>
  /** With the other lanes, wanted once there are many rows: each gives its share, as of the split that is its place among the lanes. */
  readonly exchange: OwnExchange
  free(): void
}

/** Rows of a range, of all lanes together: their keys, indices and columns fit the caches. */
const ROWS_AT_ONCE = 32_768
/** For each range; more make them more equal. */
const SAMPLES = 64

/** Rows in the order of their ranges. */
interface Block {
  readonly split: number
  readonly batch: LaneBatch
  /** Where each range that the lane has begins, and the end. */
  readonly starts: Uint32Array
  /** The range that `starts` begins with. */
  readonly first: number
}

/** @param store its rows become this one's with `emit` or an exchange. */
export function createRangedSort(context: OperatorContext, keys: readonly ColumnKey[], store: RowStore): RangedSort {
  const { k, mostGroups = MOST_GROUPS } = context
  const { memory } = k
  const [firstKey] = keys
  const blocks: Block[] = []
  /** Of other lanes, as they come while this lane's own are sent. */
  const received: Block[] = []
  let bounds: LaneBatch | null = null

  /** Keys of about one row of `every`, wherever these are, part by part. */
  function* samples(every: number): Iterable<Part<LaneBatch> & { kind: 'rows' }> {
    let seed = 0
    for (const { batch, split } of store.stored()) {
      const rows: number[] = []
      // Not the same row of each: rows may come at a beat.
      for (let from = 0; from < batch.rowCount; from += every) {
        seed = (Math.imul(seed, 0x9e3779b1) + 0x7f4a7c15) | 0
        const row = from + ((seed >>> 8) % every)
        if (row < batch.rowCount) rows.push(row)
      }
      const indices = memory.scratch(4 * rows.length)
      memory.u32.set(rows, indices >>> 2)
      const column = take(k, batch.columns[firstKey.column], indices, rows.length)
      yield { kind: 'rows', split, batch: { rowCount: rows.length, columns: [column] } }
    }
  }

  /** In scratch: keys that as many of the sample lie between, none where all are null. */
  function boundsOf(sample: LaneVector, bits: number): LaneBatch {
    const { length } = sample
    const order = argsort(k, [{ ...firstKey, vector: sample }], length)
    const valid = sample.validity === 0 ? length : length - nullsOf(sample)
    const from = firstKey.nulls === 'first' ? length - valid : 0
    const count = valid === 0 ? 0 : 2 ** bits - 1
    const places = memory.scratch(4 * count)
    for (let i = 0; i < count; i++) {
      const at = from + Math.floor(((i + 1) * valid) / 2 ** bits)
      memory.u32[(places >>> 2) + i] = memory.u32[(order >>> 2) + at]
    }
    return { rowCount: count, columns: [take(k, sample, places, count)] }
  }

  const nullsOf = ({ validity, length }: LaneVector): number => {
    const { u8 } = memory
    let nulls = 0
    for (let row = 0; row < length; row++) nulls += 1 - ((u8[validity + (row >> 3)] >> (row & 7)) & 1)
    return nulls
  }

  /** Parts what is stored, a batch at a time. */
  function* part(bits: number): Iterable<null> {
    const [limits] = (bounds as LaneBatch).columns
    for (const { split, batch } of store.drain()) {
      const vector = batch.columns[firstKey.column]
      const { rows, starts } = rangeRows(k, { ...firstKey, vector }, limits, bits, batch.rowCount)
      const taken: number[] = []
      const room = (byteLength: number) => taken[taken.push(memory.allocate(byteLength)) - 1]
      try {
        const columns = batch.columns.map(column => take(k, column, rows, batch.rowCount, room))
        blocks.push({ split, batch: { rowCount: batch.rowCount, columns }, starts, first: 0 })
      } catch (error) {
        for (const pointer of taken) memory.free(pointer)
        throw error
      }
      yield null
    }
  }

  /** A lane's share of the rows here. */
  function* share(first: number, end: number): Iterable<Part<LaneBatch>> {
    for (const { split, batch, starts } of blocks) {
      const [from, to] = [starts[first], starts[end]]
      if (from === to) continue
      const columns = batch.columns.map(column => slice(k, column, from, to))
      const own = starts.slice(first, end + 1).map(start => start - from)
      yield { kind: 'rows', split, batch: { rowCount: to - from, columns }, starts: own }
    }
  }

  function receive(given: Part<VectorBatch>, first: number): void {
    if (given.kind !== 'rows' || given.starts === undefined) throw new Error('ranges of rows are exchanged here')
    received.push({ split: given.split, batch: store.load(given.batch), starts: given.starts, first })
  }

  /** Column i of pieces, one after another, in heap blocks. */
  function joinedPieces(pieces: readonly Piece[], i: number, rowCount: number): LaneVector {
    const column = pieces[0].columns[i]
    const { kind } = column.type
    // Bits and lists are no elements of whole bytes.
    const width = column.child ? 0 : elementBytes(kind)
    if (width === 0 || pieces.some(({ columns }) => columns[i].validity !== 0)) {
      const mark = memory.mark()
      const own = pieces.map(({ columns, from, to }) => slice(k, columns[i], from, to))
      const all = joined(k, own, rowCount)
      memory.reset(mark)
      return all
    }
    const data = memory.allocate(dataBytes(kind, rowCount))
    joinPieces(k, pieces, i, width, data)
    const coded = pieces.find(({ columns }) => columns[i].dictionary !== null)
    return { ...column, length: rowCount, data, dictionary: coded?.columns[i].dictionary ?? null, range: null }
  }

  function* sorted(first: number, end: number): Iterable<Morsel | null> {
    const all = [...blocks, ...received].sort((a, b) => a.split - b.split)
    for (let range = first; range < end; range++) {
      const pieces = all.flatMap(block => {
        const at = range - block.first
        const [from, to] = [block.starts[at], block.starts[at + 1]]
        return from === to ? [] : [{ columns: block.batch.columns, from, to }]
      })
      if (pieces.length === 0) continue
      const rowCount = pieces.reduce((sum, { from, to }) => sum + to - from, 0)
      const columns: LaneVector[] = []
      let order = 0
      try {
        for (let i = 0; i < pieces[0].columns.length; i++) columns.push(joinedPieces(pieces, i, rowCount))
        const batch = { rowCount, columns }
        const found = argsort(k, sortKeysOf(columns, keys), rowCount)
        if (rowCount <= MORSEL_ROWS) {
          yield { ...takeBatch(k, batch, found, rowCount), rows: 0 }
          continue
        }
        order = memory.allocate(4 * rowCount)
        memory.u8.copyWithin(order, found, found + 4 * rowCount)
        for (let from = 0; from < rowCount; from += MORSEL_ROWS)
          yield { ...takeBatch(k, batch, order + 4 * from, Math.min(MORSEL_ROWS, rowCount - from)), rows: 0 }
      } finally {
        memory.free(order)
        freeHeapBatch(k, { rowCount, columns })
      }
    }
  }

  /** A sample's store, whose strings have the codes that those of the rows have. */
  function sampleStore(): RowStore {
    const rows = new RowStore(context)
    for (const { batch, split } of store.stored()) {
      const column = { ...batch.columns[firstKey.column], length: 0, validity: 0 }
      rows.add({ rowCount: 0, columns: [column] }, split)
    }
    return rows
  }

  /** What a sample's store has, in a heap batch. */
  const gathered = (rows: RowStore): LaneBatch => concatenate(k, rows.take())

  const bitsFor = (rowCount: number): number =>
    Math.max(1, Math.min(MOST_RANGE_BITS, Math.ceil(Math.log2(rowCount / ROWS_AT_ONCE))))
  const everyFor = (rowCount: number, bits: number): number => Math.max(1, Math.floor(rowCount / (SAMPLES * 2 ** bits)))

  function keepBounds(rows: RowStore, bits: number): void {
    const sample = gathered(rows)
    const mark = memory.mark()
    try {
      const found = boundsOf(sample.columns[0], bits)
      bounds = { rowCount: found.rowCount, columns: found.columns.map(column => joined(k, [column])) }
    } finally {
      memory.reset(mark)
      freeHeapBatch(k, sample)
    }
  }

  return {
    *emit() {
      const bits = bitsFor(store.rowCount)
      const rows = sampleStore()
      try {
        for (const each of samples(everyFor(store.rowCount, bits))) rows.add(each.batch, each.split)
        keepBounds(rows, bits)
      } finally {
        rows.free()
      }
      yield null
      yield* part(bits)
      yield* sorted(0, partitionsOf(bits))
    },
    exchange: {
      reorders: true,
      get wanted() {
        return store.rowCount > mostGroups
      },
      get size() {
        return store.rowCount
      },
      fingerprint: () => '',
      splits: () => [...new Set(store.stored().map(({ split }) => Math.max(0, split)))],
      metered(meter) {
        return meteredExchange(this, meter)
      },
      async carryOut(host: ExchangeHost, { lanes, size }: ExchangeTerms) {
        const bits = bitsFor(size)
        const place = lanes.indexOf(host.lane)
        const others = lanes.filter(lane => lane !== host.lane)
        const shareOf = (i: number): [number, number] => [
          Math.floor((partitionsOf(bits) * i) / lanes.length),
          Math.floor((partitionsOf(bits) * (i + 1)) / lanes.length),
        ]
        const rows = host.charged(sampleStore)
        try {
          if (host.lane === 0) {
            await host.each(samples(everyFor(size, bits)), each => {
              rows.add(each.batch, each.split)
              return true
            })
            await Promise.all(others.map(from => host.receive(from, each => rows.absorb(each))))
            host.charged(() => keepBounds(rows, bits))
            for (const to of others) await host.send(to, [{ kind: 'rows', split: 0, batch: bounds as LaneBatch }])
          } else {
            await host.send(0, samples(everyFor(size, bits)))
            await host.receive(0, each => rows.absorb(each))
            bounds = host.charged(() => gathered(rows))
          }
          await host.each(part(bits), () => true)
          const [first, end] = shareOf(place)
          await Promise.all([
            ...others.map(from => host.receive(from, each => receive(each, first))),
            (async () => {
              for (const to of others) await host.send(to, share(...shareOf(lanes.indexOf(to))))
            })(),
          ])
          await host.each(sorted(first, end), morsel => {
            if (morsel !== null) host.give(morsel, place)
            return true
          })
        } finally {
          rows.free()
        }
      },
    },
    free() {
      for (const list of [blocks, received]) for (const { batch } of list.splice(0)) freeHeapBatch(k, batch)
      if (bounds !== null) freeHeapBatch(k, bounds)
      bounds = null
    },
  }
}
