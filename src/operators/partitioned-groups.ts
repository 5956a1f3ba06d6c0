/**
 * Groups that outnumber what the caches hold: rows are parted by a hash of their keys as they come, and each partition is grouped by itself at the
 * end, in this lane or in the one whose share it is. aggregate.ts decides when; group tables that fit the caches are its own.
 *
 * ```
 * consume     block, block, ...     a morsel each, its rows sorted by partition: key words, rank, what the accumulators read
 * partition   the rows of every block, and of other lanes' ── group table ── accumulators ── results with the rank of each group's first row
 * emit        results of all partitions, in order of rank
 * ```
 * Whatever lane groups a partition, a group's result goes back to the lane that had the group's first row, so that order is restored without a sort:
 * by the place of the row among the lane's.
 */
import { freeBatch } from '../columnar/free-batch.js'
import { bool, type DataType, uint32, utf8 } from '../columnar/type.js'
import { MORSEL_ROWS, type VectorBatch } from '../columnar/vector.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import type { AggregateInput, Aggregation } from '../kernels/aggregate/aggregation.js'
import { bitmapBytes, copyBits } from '../kernels/bitmap.js'
import type { KeyLayout } from '../kernels/key-words.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { dataBytes, elementBytes } from '../kernels/operand.js'
import {
  keyPlanes,
  keysOfPlanes,
  PARTITION_BITS,
  PARTITIONS,
  type PartedRows,
  partRows,
  ranksOfRows,
  recodeKey,
} from '../kernels/radix.js'
import { take, takeBatch } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { recodeText } from '../kernels/transfer-batch.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import type { PartitionPart, ResultsPart } from './operator.js'
import { copyOfLane, type LaneSplit, resultsInOrder } from './ordered-results.js'
import { createShareGroups, inputsOfRows, planeColumns, words } from './share-groups.js'

/** Groups that were there before rows began to be parted: their keys, ranks and states. */
export interface EarlierGroups {
  readonly count: number
  readonly keys: readonly LaneVector[]
  /** i64 pointer: one a group, in order of first appearance. */
  readonly ranks: number
  /** u32 pointer to the index of each, 0 where it is its place. */
  readonly order: number
  readonly aggregation: Aggregation
}

export interface PartitionedGroups {
  /** Rows of the lane with the rank of the first of them; `inputs` as an aggregation takes them. */
  add(keys: readonly LaneVector[], inputs: readonly AggregateInput[], rowCount: number, firstRank: number): void
  /** Packs keys otherwise from now on, and those that there are too. */
  layOut(layout: KeyLayout): void
  /** Says what there was before; call it once, when all rows have been added. */
  begin(earlier: EarlierGroups): void
  /** A share as another lane needs it; `common` where the dictionaries of all lanes are the same. */
  send(share: number, common: boolean): Iterable<PartitionPart<LaneBatch>>
  receive(part: PartitionPart<VectorBatch>): void
  /** Rows that have been added. */
  readonly rowCount: number
  /** As many partitions at a time, a share, as make it worth it: `rowCount` is that of all lanes. */
  share(rowCount: number): void
  /** How many shares there are. */
  readonly shares: number
  /** Groups a share: this lane's rows and all that was received. Results are kept. */
  group(share: number): void
  /** Results whose groups first appeared in a lane: `lanes` has the lane of each split. */
  resultsOf(lane: number, lanes: Uint32Array, common: boolean): Iterable<ResultsPart<LaneBatch>>
  /** Keeps only the results whose groups first appeared in this lane. */
  keepResultsOf(lane: number, lanes: Uint32Array): void
  receiveResults(part: ResultsPart<VectorBatch>): void
  /**
   * The results that are kept, in order, split by split: `splits` are those of this lane, ascending, each with how many of its rows came. Columns are
   * keys, then results; at most 65,536 rows at a time.
   */
  emit(splits: readonly LaneSplit[]): Iterable<{ readonly split: number; readonly batch: LaneBatch }>
  free(): void
}

/** So many rows at once keep a table and its states within the caches, and are worth making these. */
const ROWS_AT_ONCE = 49_152

/** Rows of one partition in one block. */
interface Piece {
  readonly columns: readonly LaneVector[]
  readonly from: number
  readonly count: number
}

/** Partitions side by side whose rows are freed together, once all of them have been grouped or sent. */
const SEGMENT = PARTITIONS / 8
const segmentOf = (partition: number): number => Math.floor(partition / SEGMENT)

/** Rows of a morsel that are of the partitions of one segment; the first place is that of `from`. */
interface Block {
  readonly batch: LaneBatch
  readonly parted: PartedRows
  readonly from: number
}

/** Rows of a segment: in chunks, which leave room of their own size, and not holes, when they are freed. */
interface Segment {
  readonly blocks: Block[]
  readonly chunks: number[]
  /** Where the next column goes in the last chunk, and how much room there is. */
  next: number
  left: number
  /** Partitions that are still needed. */
  needed: number
}

const LEAST_CHUNK_BYTES = 2 ** 17
const MOST_CHUNK_BYTES = 2 ** 20

/** A multiple of 16, with 16 behind that may be read. */
const padded = (byteLength: number): number => ((byteLength + 31) >>> 4) << 4

export function createPartitionedGroups(
  context: OperatorContext,
  firstLayout: KeyLayout,
  specs: readonly AggregateSpec[],
  inputTypes: readonly (readonly DataType[])[],
  dictionaries: (LaneDictionary | null)[],
): PartitionedGroups {
  const { k } = context
  const { memory } = k
  let layout = firstLayout
  let { width } = layout
  const loader = createBatchLoader(context)
  const keysLoader = createBatchLoader(context)
  const resultLoader = createBatchLoader(context)
  const segments = Array.from(
    { length: segmentOf(PARTITIONS) },
    (): Segment => ({ blocks: [], chunks: [], next: 0, left: 0, needed: SEGMENT }),
  )
  const received = new Map<number, PartitionPart<VectorBatch>[]>()
  let earlier: (EarlierGroups & { readonly batch: LaneBatch; readonly parted: PartedRows }) | null = null
  const results: LaneBatch[] = []
  /** The same once it is known which lane each is for, lane by lane. */
  let ofLanes: Map<number, LaneBatch[]> | null = null
  /** Partitions of a share. */
  let stride = 1

  const planesOf = ({ columns }: LaneBatch): number[] => columns.slice(0, width).map(({ data }) => data)

  /** Columns of a block but ranks, which follow the key planes: these, then each input's vectors; of one without any, a bitmap of the rows that count. */
  const blockOf = (planes: number, inputs: readonly AggregateInput[], rowCount: number): LaneVector[] => [
    ...planeColumns(planes, width, rowCount),
    ...inputs.flatMap(({ vectors, validity }, i) => {
      if (inputTypes[i].length === 0) return [{ ...words(validity || allSet(rowCount), rowCount), type: bool() }]
      return vectors.map((vector, j) => ({ ...vector, validity: j === 0 ? validity : 0 }))
    }),
  ]

  const allSet = (rowCount: number): number => {
    const bits = memory.scratch(bitmapBytes(rowCount))
    memory.bytes(bits, bitmapBytes(rowCount)).fill(0xff)
    return bits
  }

  const inputsOf = (batch: LaneBatch): AggregateInput[] => inputsOfRows(batch, width, inputTypes)

  /** The rows of some partitions, in heap batches of at most a morsel: free them. */
  const rowsOf = function* (first: number, end: number): Iterable<LaneBatch> {
    let pieces: Piece[] = []
    let rowCount = 0
    for (let partition = first; partition < end; partition++) {
      for (const { batch, parted, from } of segments[segmentOf(partition)].blocks) {
        const count = parted.counts[partition]
        if (count === 0) continue
        if (rowCount + count > MORSEL_ROWS) {
          yield joinPieces(pieces, rowCount)
          pieces = []
          rowCount = 0
        }
        pieces.push({ columns: batch.columns, from: parted.starts[partition] - from, count })
        rowCount += count
      }
    }
    if (rowCount > 0) yield joinPieces(pieces, rowCount)
  }

  const joinPieces = (pieces: readonly Piece[], rowCount: number): LaneBatch => {
    const taken: number[] = []
    const room = (byteLength: number) => taken[taken.push(memory.allocate(byteLength)) - 1]
    try {
      const columns = pieces[0].columns.map((column, i): LaneVector => {
        const elements = elementBytes(column.type.kind)
        const data = room(dataBytes(column.type.kind, rowCount))
        const hasNulls = pieces.some(({ columns: all }) => all[i].validity !== 0)
        const validity = hasNulls ? room(bitmapBytes(rowCount)) : 0
        if (hasNulls) memory.bytes(validity, bitmapBytes(rowCount)).fill(0xff)
        const { u8 } = memory
        let row = 0
        let dictionary = column.dictionary
        for (const { columns: all, from, count } of pieces) {
          const part = all[i]
          if (elements === 0) copyBits(k, part.data, from, data, row, count)
          else u8.copyWithin(data + row * elements, part.data + from * elements, part.data + (from + count) * elements)
          if (part.validity !== 0) copyBits(k, part.validity, from, validity, row, count)
          dictionary ??= part.dictionary
          row += count
        }
        return { ...column, length: rowCount, data, validity, dictionary, range: null }
      })
      return { rowCount, columns }
    } catch (error) {
      for (const pointer of taken) memory.free(pointer)
      throw error
    }
  }

  /** Strings of results have codes of one dictionary, whichever the accumulators of a partition had. */
  const resultDictionaries: (LaneDictionary | null)[] = []
  const inResultDictionary = (column: LaneVector, i: number): LaneVector => {
    const theirs = dictionaryOf(column)
    if (theirs === null) return column
    const own = resultDictionaries[i] ?? theirs
    if (resultDictionaries[i] === undefined) {
      resultDictionaries[i] = own
      context.dictionaries.retain(own)
    }
    return own === theirs ? column : recodeText(k, column, own)
  }

  /** Rows of some partitions. */
  const rowCountOf = (first: number, end: number): number => {
    let rows = 0
    for (let p = first; p < end; p++) for (const { parted } of segments[segmentOf(p)].blocks) rows += parted.counts[p]
    return rows
  }

  const group = (share: number): void => {
    const [first, end] = [share * stride, (share + 1) * stride]
    const others = received.get(share) ?? []
    // No fewer than there will be groups, but for those of before.
    const expected = others.reduce((sum, { rows }) => sum + (rows?.rowCount ?? 0), rowCountOf(first, end))
    const mark = memory.mark()
    const groups = createShareGroups(context, width, specs, expected)
    try {
      // Rows come before states, so that states of strings take over the dictionary of the rows: one that they brought along would be given it entry by entry.
      for (const batch of rowsOf(first, end)) {
        try {
          groups.addRows(batch, inputsOf(batch))
        } finally {
          freeHeapBatch(k, batch)
        }
      }
      for (const { rows, dictionaries: theirs } of others) {
        if (rows === null) continue
        const inner = memory.mark()
        const batch = recoded(loader.load(rows), theirs)
        freeBatch(rows)
        groups.addRows(batch, inputsOf(batch))
        memory.reset(inner)
      }
      const own = earlierOf(first, end)
      if (own !== null) groups.addGroups(own.keys, own.state)
      for (const { groups: given, dictionaries: theirs } of others) {
        if (given !== null) groups.addGroups(recoded(keysLoader.load(given.keys), theirs), given.state)
      }
      received.delete(share)
      leave(first, end)
      const rowCount = groups.length
      if (rowCount === 0) return
      const planes = planeColumns(groups.planes(), width, rowCount)
      const made = groups.aggregation.evaluate(rowCount).map(inResultDictionary)
      const columns = [...planes, words(groups.ranks, rowCount), ...made]
      results.push(copyToHeap(k, { rowCount, columns }))
    } finally {
      groups.free()
      memory.reset(mark)
    }
  }

  const freeRows = (segment: Segment): void => {
    segment.blocks.length = 0
    segment.left = 0
    freeChunks(segment.chunks)
  }

  const freeChunks = (chunks: number[]): void => {
    for (const chunk of chunks.splice(0)) memory.free(chunk)
  }

  /** Their rows are not needed any more: results need the room. */
  const leave = (first: number, end: number): void => {
    for (let p = first; p < end; p++) {
      const segment = segments[segmentOf(p)]
      if (--segment.needed === 0) freeRows(segment)
    }
  }

  /** The keys that are strings. */
  const texts = layout.fields.flatMap(({ type }, i) => (type.kind === 'utf8' ? [i] : []))
  const made: LaneDictionary[] = []

  const dictionaryOfKey = (i: number): LaneDictionary => {
    let dictionary = dictionaries[i]
    if (dictionary === null) {
      dictionary = context.dictionaries.create()
      dictionaries[i] = dictionary
      made.push(dictionary)
    }
    return dictionary
  }

  /** A batch, in scratch, whose keys have been coded by another lane's dictionaries: in place. */
  const recoded = (batch: LaneBatch, theirs: VectorBatch | null): LaneBatch => {
    if (theirs === null) return batch
    for (const [j, i] of texts.entries()) {
      const { dictionary } = theirs.vectors[j]
      if (dictionary === null || dictionary.length === 0) continue
      const map = dictionaryOfKey(i).codeMap(dictionary)
      if (map !== 0) recodeKey(k, layout, i, planesOf(batch), map, batch.rowCount)
    }
    return batch
  }

  /** No rows of the string keys, whose dictionaries then travel along. */
  const dictionariesToSend = (common: boolean): LaneBatch | null =>
    common || texts.length === 0
      ? null
      : { rowCount: 0, columns: texts.map(i => ({ ...words(0, 0), type: utf8(), dictionary: dictionaryOfKey(i) })) }

  /** Earlier groups of some partitions: planes and ranks in scratch, and their states. */
  const earlierOf = (first: number, end: number): { keys: LaneBatch; state: readonly Uint8Array[] } | null => {
    if (earlier === null) return null
    const { parted, batch, order, aggregation } = earlier
    const count = parted.counts.subarray(first, end).reduce((sum, each) => sum + each, 0)
    if (count === 0) return null
    const places = memory.scratch(4 * count)
    let at = places
    for (let partition = first; partition < end; partition++) {
      const [from, bytes] = [earlierRows + 4 * parted.starts[partition], 4 * parted.counts[partition]]
      memory.u8.copyWithin(at, from, from + bytes)
      at += bytes
    }
    const keys = takeBatch(k, batch, places, count)
    const indices = order === 0 ? places : take(k, { ...words(order, count), type: uint32() }, places, count).data
    return { keys, state: aggregation.laneState(indices, count) }
  }
  let earlierRows = 0

  /** Where the rows of a block of a segment lie among its places: what lies between partitions is none. */
  const placesOfRows = ({ parted: { starts, counts }, from }: Block, segment: number): [number, number] => {
    const [first, end] = [segment * SEGMENT, (segment + 1) * SEGMENT]
    const count = counts.subarray(first, end).reduce((sum, each) => sum + each, 0)
    const places = memory.scratch(4 * count)
    let at = places >>> 2
    for (let p = first; p < end; p++) {
      for (let i = 0; i < counts[p]; i++) memory.u32[at++] = starts[p] - from + i
    }
    return [places, count]
  }

  /** `ranks` is the rank of the first row, and the others follow, or a column of them. */
  const addRows = (
    keys: readonly LaneVector[],
    inputs: readonly AggregateInput[],
    ranks: number | LaneVector,
    rowCount: number,
  ) => {
    const planes = keyPlanes(k, layout, keys, rowCount)
    const parted = partRows(k, layout, planes, rowCount, dictionaries)
    const all = blockOf(planes, inputs, rowCount)
    for (const [i, segment] of segments.entries()) {
      const from = parted.starts[i * SEGMENT]
      const end = parted.starts[(i + 1) * SEGMENT] ?? parted.length
      if (end > from) {
        const batch = rowsAt(segment, all, ranks, parted.rows + 4 * from, end - from)
        segment.blocks.push({ batch, parted, from })
      }
    }
  }

  /** Some rows and their ranks, in the chunks of a segment. */
  const rowsAt = (
    segment: Segment,
    all: readonly LaneVector[],
    ranks: number | LaneVector,
    rows: number,
    length: number,
  ): LaneBatch => {
    const room = (byteLength: number): number => {
      const bytes = padded(byteLength)
      if (bytes > segment.left) {
        const { chunks } = segment
        const size = Math.max(bytes, Math.min(MOST_CHUNK_BYTES, LEAST_CHUNK_BYTES * 2 ** chunks.length))
        segment.next = memory.allocate(size)
        segment.left = size
        chunks.push(segment.next)
      }
      const at = segment.next
      segment.next += bytes
      segment.left -= bytes
      return at
    }
    const columns = all.map(column => take(k, column, rows, length, room))
    // Ranks of rows one after another need not be gathered.
    const places = typeof ranks === 'number' ? words(room(8 * length), length) : take(k, ranks, rows, length, room)
    if (typeof ranks === 'number') ranksOfRows(k, ranks, rows, length, places.data)
    columns.splice(width, 0, places)
    // What other lanes send is coded as it comes, once for all shares.
    for (const [i, column] of columns.entries()) {
      const dictionary = dictionaryOf(column)
      if (dictionary !== null) loader.adopt(i, dictionary)
    }
    return { rowCount: length, columns }
  }

  /**
   * The results whose groups first appeared in a lane, to be taken from there. The first call parts them all, one batch after another, each of which gives
   * back its room.
   */
  const partedResultsOf = (lane: number, lanes: Uint32Array): LaneBatch[] => {
    if (ofLanes === null) {
      ofLanes = new Map([...new Set(lanes)].map(each => [each, []]))
      for (let batch = results.shift(); batch !== undefined; batch = results.shift()) {
        try {
          for (const [each, own] of ofLanes) own.push(...copyOfLane(k, [batch], width, each, lanes))
        } finally {
          freeHeapBatch(k, batch)
        }
      }
    }
    return ofLanes.get(lane) ?? []
  }

  return {
    add(keys, inputs, rowCount, firstRank) {
      const mark = memory.mark()
      addRows(keys, inputs, firstRank, rowCount)
      memory.reset(mark)
    },
    layOut(next) {
      if (next === layout) return
      const before = layout
      const beforeWidth = width
      // Rows of one segment may be of another by the next layout.
      const all = segments.map(segment => {
        segment.left = 0
        return { blocks: segment.blocks.splice(0), chunks: segment.chunks.splice(0) }
      })
      try {
        for (const [i, { blocks, chunks }] of all.entries()) {
          for (const block of blocks) {
            const mark = memory.mark()
            layout = before
            width = beforeWidth
            const rows = takeBatch(k, block.batch, ...placesOfRows(block, i))
            const keys = keysOfPlanes(k, before, planesOf(rows), rows.rowCount, dictionaries)
            const [inputs, ranks] = [inputsOf(rows), rows.columns[width]]
            layout = next
            width = next.width
            addRows(keys, inputs, ranks, rows.rowCount)
            memory.reset(mark)
          }
          freeChunks(chunks)
        }
      } finally {
        for (const { chunks } of all) freeChunks(chunks)
      }
      layout = next
      width = next.width
    },
    begin(groups) {
      if (groups.count === 0) return
      const mark = memory.mark()
      const planes = keyPlanes(k, layout, groups.keys, groups.count)
      const parted = partRows(k, layout, planes, groups.count, dictionaries)
      const batch = copyToHeap(k, {
        rowCount: groups.count,
        columns: [...planeColumns(planes, width, groups.count), words(groups.ranks, groups.count)],
      })
      earlierRows = memory.allocate(4 * parted.length)
      memory.u8.copyWithin(earlierRows, parted.rows, parted.rows + 4 * parted.length)
      memory.reset(mark)
      earlier = { ...groups, batch, parted }
    },
    *send(share, common) {
      const [first, end] = [share * stride, (share + 1) * stride]
      const own = earlierOf(first, end)
      if (own !== null) yield { share, rows: null, groups: own, dictionaries: dictionariesToSend(common) }
      for (const rows of rowsOf(first, end)) {
        try {
          yield { share, rows, groups: null, dictionaries: dictionariesToSend(common) }
        } finally {
          freeHeapBatch(k, rows)
        }
      }
      leave(first, end)
    },
    receive(part) {
      const parts = received.get(part.share)
      if (parts === undefined) received.set(part.share, [part])
      else parts.push(part)
    },
    get rowCount() {
      return rowCountOf(0, PARTITIONS)
    },
    share(rowCount) {
      const perPartition = Math.max(1, rowCount / PARTITIONS)
      stride = 2 ** Math.max(0, Math.min(PARTITION_BITS, Math.floor(Math.log2(ROWS_AT_ONCE / perPartition))))
    },
    get shares() {
      return PARTITIONS / stride
    },
    group,
    *resultsOf(lane, lanes, common) {
      const own = partedResultsOf(lane, lanes)
      for (let rows = own.shift(); rows !== undefined; rows = own.shift()) {
        try {
          yield { rows, dictionaries: dictionariesToSend(common) }
        } finally {
          freeHeapBatch(k, rows)
        }
      }
    },
    keepResultsOf(lane, lanes) {
      results.push(...partedResultsOf(lane, lanes).splice(0))
    },
    receiveResults({ rows, dictionaries: theirs }) {
      const mark = memory.mark()
      for (const [i, dictionary] of resultDictionaries.entries()) {
        if (dictionary) resultLoader.adopt(width + 1 + i, dictionary)
      }
      const { rowCount, columns } = recoded(resultLoader.load(rows), theirs)
      freeBatch(rows)
      const values = columns.slice(width + 1).map(inResultDictionary)
      results.push(copyToHeap(k, { rowCount, columns: [...columns.slice(0, width + 1), ...values] }))
      memory.reset(mark)
    },
    *emit(splits) {
      for (const { split, batch } of resultsInOrder(k, results, width, splits)) {
        const keys = keysOfPlanes(k, layout, planesOf(batch), batch.rowCount, dictionaries)
        yield { split, batch: { rowCount: batch.rowCount, columns: [...keys, ...batch.columns.slice(width + 1)] } }
      }
    },
    free() {
      for (const segment of segments) freeRows(segment)
      for (const batch of [results, ...(ofLanes?.values() ?? [])].flatMap(each => each.splice(0)))
        freeHeapBatch(k, batch)
      if (earlier !== null) freeHeapBatch(k, earlier.batch)
      memory.free(earlierRows)
      earlier = null
      earlierRows = 0
      received.clear()
      for (const each of [loader, resultLoader, keysLoader]) each.close()
      for (const dictionary of made.splice(0)) context.dictionaries.release(dictionary)
      for (const dictionary of resultDictionaries.splice(0)) {
        if (dictionary) context.dictionaries.release(dictionary)
      }
    },
  }
}
