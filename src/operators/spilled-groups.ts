/**
 * Groups in a job's file, by share of their keys' hash: those that had been found when memory ran short, with their states and the place of each one's
 * first row. spilling-aggregate.ts says when; here a share is read back, its pieces merged by key, and results made.
 *
 * ```
 * share       piece, piece, ...        of each time that memory ran short, and of other lanes
 * piece       keys as columns, ranks ── states as an aggregation writes them for a lane
 * finish      the pieces merged ── results            where they do not fit: parted by the next bits of the hash, written, and each part finished
 * ```
 * A single group must fit: where its state alone is more than there is room for, the budget is refused.
 */
import { type DataType, int64 } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import type { Aggregation } from '../kernels/aggregate/aggregation.js'
import { type KeyLayout, layoutKeys } from '../kernels/key-words.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { PAGE_BYTES } from '../kernels/memory-account.js'
import { take, takeBatch } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { unloadBatch } from '../kernels/transfer-batch.js'
import { batchBytes, batchOfBytes } from './batch-bytes.js'
import type { OperatorContext, Partitions } from './build.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import { createOneDictionary, type OneDictionary } from './one-dictionary.js'
import type { PartitionPart } from './operator.js'
import type { ShareGroups } from './share-groups.js'
import type { Piece, Spill, Spilled, SpillFile } from './spill.js'

/** Shares of the keys, told apart by so many bits of their hash; a share is parted again by as many of those that follow, or by fewer. */
const SHARE_BITS = 6
export const SHARES = 2 ** SHARE_BITS
/** Hashes have 32 bits: groups that are alike in so many are not told apart. */
const MOST_BITS = 26
/** Part of the room that there is which the groups of a share may take before results are made of them. */
const MOST_PART = 0.4
/** Pages that groups begin with, however few, beside one for each aggregate, and the part of the room that these may be. */
const FIRST_PAGES = 3
const MOST_OF_FIRST = 0.75
/** Parts are made no smaller than for so much. */
const LEAST_ROOM = 2 ** 16

export interface SpilledGroups {
  readonly spilled: Spilled
  /** Writes what a lane that parts its keys without common dictionaries (`Exchange.parts`) gives of a share: groups, or rows, which become groups. */
  write(share: number, parts: Iterable<PartitionPart<LaneBatch>>): void
  /** Takes a piece as it is in another lane's file. */
  receive(share: number, rowCount: number, bytes: Uint8Array): void
  /** The pieces of a share as they are in the file. */
  pieces(share: number): Iterable<{ readonly rowCount: number; readonly bytes: Uint8Array<ArrayBuffer> }>
  /** Writes groups that were found by other keys anew, by these. */
  add(found: FoundGroups, given: Iterable<KeyedAnew>): void
  /**
   * Merges the pieces of a share, step by step. `keep` is given the results, some groups at a time: ranks, keys, then a column for each spec, all in
   * scratch; and before that `onFound` the groups themselves. Where nobody keeps results none are made.
   */
  finish(
    share: number,
    keep: ((results: LaneBatch) => void) | null,
    onFound?: (found: FoundGroups) => void,
  ): Iterable<null>
}

/** Groups in the lane's memory, for the moment. */
export interface FoundGroups {
  readonly rowCount: number
  readonly keys: readonly LaneVector[]
  /** Pointer to an int64 each. */
  readonly ranks: number
  readonly aggregation: Aggregation
}

/** Some groups, and keys for them: a row for each of so many `indices` (u32 pointer), in scratch that is good until the next are asked for. */
export interface KeyedAnew {
  readonly keys: readonly LaneVector[]
  readonly indices: number
  readonly count: number
}

/** Groups that are made of those of a finer set of keys, as a breaker gives them. */
export interface DerivedGroups {
  readonly spilled: Spilled
  /** In their order: set by set, or window by window, each in order of first appearance; columns as the stage's output has them. */
  emit(): Generator<LaneBatch | null>
  free(): void
}

type Finish = [keep: ((results: LaneBatch) => void) | null, onFound?: (found: FoundGroups) => void]

export function createSpilledGroups(
  context: OperatorContext,
  spill: Spill,
  keyTypes: readonly DataType[],
  specs: readonly AggregateSpec[],
  inputTypes: readonly (readonly DataType[])[],
): SpilledGroups {
  const { k } = context
  const { memory } = k
  const { account } = spill
  const { createShareGroups, inputsOfRows, keyPlanes, keysOfPlanes, planeColumns, partRows, PARTITIONS, words } =
    context.parts.partitions as Partitions
  // As wide as the types: what is written at different times, in different lanes, must be parted alike.
  const layout: KeyLayout = layoutKeys(keyTypes)
  const { width } = layout
  const types = [...keyTypes, int64()]
  const texts = keyTypes.flatMap(({ kind }, i) => (kind === 'utf8' ? [i] : []))
  const shares: Piece[][] = Array.from({ length: SHARES }, () => [])
  let bytes = 0
  let pieceCount = 0

  const append = (written: Uint8Array, rowCount: number): Piece => {
    const piece = { from: (spill.file as SpillFile).write(written), byteLength: written.length, rowCount }
    bytes += written.length
    pieceCount++
    return piece
  }

  /** `batch`: planes, then ranks. */
  const appendGroups = (
    batch: LaneBatch,
    dictionaries: readonly (LaneDictionary | null)[],
    state: readonly Uint8Array[],
  ): Piece => {
    const { rowCount, columns } = batch
    const mark = memory.mark()
    const planes = columns.slice(0, width).map(({ data }) => data)
    const keys = keysOfPlanes(k, layout, planes, rowCount, dictionaries)
    const unloaded = unloadBatch(k, { rowCount, columns: [...keys, columns[width]] }, types)
    memory.reset(mark)
    return append(groupBytes(unloaded, state), rowCount)
  }

  /** Groups of one share as they are found, with the dictionaries of their keys. */
  const open = (expected: number): { groups: ShareGroups; strings: OneDictionary; free(): void } => {
    const groups = createShareGroups(context, width, specs, expected)
    const strings = createOneDictionary(context, () => false)
    let isFreed = false
    return {
      groups,
      strings,
      free() {
        if (!isFreed) groups.free()
        isFreed = true
        strings.clear()
      },
    }
  }

  const dictionariesOf = (strings: OneDictionary): (LaneDictionary | null)[] => keyTypes.map((_, i) => strings.of(i))

  const add = ({ groups, strings }: ReturnType<typeof open>, piece: Piece) => {
    const mark = memory.mark()
    const { batch, state } = groupsOfBytes((spill.file as SpillFile).read(piece.from, piece.byteLength), types)
    const { rowCount, columns } = strings.load(batch)
    const planes = keyPlanes(k, layout, columns.slice(0, -1), rowCount)
    groups.addGroups({ rowCount, columns: [...planeColumns(planes, width, rowCount), columns[keyTypes.length]] }, [
      state,
    ])
    memory.reset(mark)
  }

  /** Writes all groups by those bits of their hash that follow the first `passed`: two to the power of `bits` parts. */
  const part = (
    groups: ShareGroups,
    dictionaries: readonly (LaneDictionary | null)[],
    passed: number,
    bits: number,
    into: Piece[][],
  ) => {
    const mark = memory.mark()
    const { length: rowCount, aggregation } = groups
    const planes = groups.planes()
    const columns = [...planeColumns(planes, width, rowCount), words(groups.ranks, rowCount)]
    const parted = partRows(k, layout, planes, rowCount, dictionaries, passed)
    const each = PARTITIONS / 2 ** bits
    for (let i = 0; i < 2 ** bits; i++) {
      const inner = memory.mark()
      let count = 0
      for (let p = i * each; p < (i + 1) * each; p++) count += parted.counts[p]
      if (count === 0) continue
      const indices = memory.scratch(4 * count)
      let at = indices
      for (let p = i * each; p < (i + 1) * each; p++) {
        const from = parted.rows + 4 * parted.starts[p]
        memory.u8.copyWithin(at, from, from + 4 * parted.counts[p])
        at += 4 * parted.counts[p]
      }
      const batch = takeBatch(k, { rowCount, columns }, indices, count)
      into[i].push(appendGroups(batch, dictionaries, aggregation.laneState(indices, count)))
      memory.reset(inner)
    }
    memory.reset(mark)
  }

  const columnsOf = ({ groups, strings }: ReturnType<typeof open>, results: readonly LaneVector[]): LaneBatch => {
    const rowCount = groups.length
    const planes = groups.planes()
    const pointers = Array.from({ length: width }, (_, j) => planes + 8 * j * rowCount)
    const keys = keysOfPlanes(k, layout, pointers, rowCount, dictionariesOf(strings))
    return { rowCount, columns: [words(groups.ranks, rowCount), ...keys, ...results] }
  }

  /** What groups may take before they are written in parts: of a few the blocks that they begin with, which those of a part would have too. */
  const mostKept = (): number => {
    const room = account.shareBytes - account.usedBytes
    return Math.max(MOST_PART * room, Math.min(MOST_OF_FIRST * room, PAGE_BYTES * (FIRST_PAGES + specs.length)))
  }

  /** @param passed bits of the hash in which all these groups are alike. */
  function* finishPieces(pieces: readonly Piece[], passed: number, ...use: Finish): Generator<null> {
    memory.trim()
    spill.makeRoom(account.shareBytes / 2)
    let most = mostKept()
    let hasAllRoom = false
    while (true) {
      const mark = memory.mark()
      try {
        const { parts, bits } = yield* merge(pieces, passed, most, ...use)
        for (const each of parts) if (each.length > 0) yield* finishPieces(each, passed + bits, ...use)
        return
      } catch (error) {
        if (!(error instanceof NoRoom)) throw error
        memory.reset(mark)
        // More was taken than could be foreseen, as where sums become wider: again, in smaller parts.
        if (error.mayPart && most >= LEAST_ROOM) {
          most /= 2
          continue
        }
        // What cannot be parted, as the many values of a group, is given the room of all that others keep.
        if (hasAllRoom) throw error.error
        hasAllRoom = true
        memory.trim()
        spill.makeRoom(account.shareBytes)
        most = mostKept()
      }
    }
  }

  /** Gives `keep` the results, or where these groups take more than `most` bytes writes them in parts. @throws NoRoom before it has done either */
  function* merge(
    pieces: readonly Piece[],
    passed: number,
    most: number,
    ...[keep, onFound]: Finish
  ): Generator<null, { parts: Piece[][]; bits: number }> {
    const parts: Piece[][] = []
    let bits = 1
    const mark = memory.mark()
    const before = keptBytes()
    const expected = pieces.reduce((largest, { rowCount }) => Math.max(largest, rowCount), 0)
    const mayPart = () => found.groups.length > 1 && passed < MOST_BITS
    let found = open(expected)
    const partAll = () => {
      if (parts.length === 0) for (let i = 0; i < 2 ** bits; i++) parts.push([])
      part(found.groups, dictionariesOf(found.strings), passed, bits, parts)
    }
    let results: LaneBatch | null = null
    let isMade = false
    try {
      for (const [i, piece] of pieces.entries()) {
        add(found, piece)
        yield null
        if (keptBytes() - before <= most || !mayPart()) continue
        // As many parts as the rest, if it is like what has been read, makes full ones of.
        if (parts.length === 0) bits = bitsFor(sumBytes(pieces) / sumBytes(pieces.slice(0, i + 1)))
        partAll()
        found.free()
        found = open(expected)
      }
      const made = parts.length === 0 ? resultsOf(found, mayPart(), keep !== null) : null
      if (made === null) partAll()
      else {
        results = made.kept
        isMade = true
        const { length: rowCount, ranks, aggregation } = found.groups
        const keys = made.batch.columns.slice(1, 1 + keyTypes.length)
        onFound?.({ rowCount, keys, ranks, aggregation })
        found.free()
        memory.reset(mark)
        memory.trim()
        if (results !== null) keep?.(results)
      }
    } catch (error) {
      if (!isMade && isMemoryLimit(error)) throw new NoRoom(error, mayPart())
      throw error
    } finally {
      found.free()
      memory.reset(mark)
      if (results !== null) {
        for (const dictionary of dictionariesIn(results)) context.dictionaries.release(dictionary)
        freeHeapBatch(k, results)
      }
    }
    return { parts, bits }
  }

  const keptBytes = () => account.usedBytes - memory.scratchBytesOf(account)

  /**
   * Keys in scratch, and results where they are kept, with a copy that outlives their groups, its dictionaries retained. Null where there is no room for them,
   * but would be for fewer groups'.
   */
  const resultsOf = (
    found: ReturnType<typeof open>,
    mayPart: boolean,
    isKept: boolean,
  ): { readonly batch: LaneBatch; readonly kept: LaneBatch | null } | null => {
    const mark = memory.mark()
    try {
      if (!isKept) return { batch: columnsOf(found, []), kept: null }
      const batch = columnsOf(found, found.groups.aggregation.evaluate(found.groups.length))
      const kept = copyToHeap(k, batch)
      for (const dictionary of dictionariesIn(kept)) context.dictionaries.retain(dictionary)
      return { batch, kept }
    } catch (error) {
      if (!isMemoryLimit(error) || !mayPart) throw error
      memory.reset(mark)
      return null
    }
  }

  return {
    get spilled() {
      return { bytes, pieces: pieceCount, times: 0 }
    },
    write(share, parts) {
      let found: ReturnType<typeof open> | null = null
      let dictionaries: (LaneDictionary | null)[] = []
      try {
        for (const { rows, groups, dictionaries: given } of parts) {
          dictionaries = keyTypes.map((_, i) => given?.columns[texts.indexOf(i)]?.dictionary ?? null)
          if (rows === null && groups !== null && found === null) {
            // Rows may follow, with keys that are among these groups: then the two are pieces of their own, which is as good.
            shares[share].push(appendGroups(groups.keys, dictionaries, groups.state))
            continue
          }
          if (rows === null) continue
          found ??= open(rows.rowCount)
          found.groups.addRows(rows, inputsOfRows(rows, width, inputTypes))
        }
        if (found === null || found.groups.length === 0) return
        const { length: rowCount, aggregation } = found.groups
        const mark = memory.mark()
        const columns = [...planeColumns(found.groups.planes(), width, rowCount), words(found.groups.ranks, rowCount)]
        shares[share].push(appendGroups({ rowCount, columns }, dictionaries, aggregation.laneState(0, rowCount)))
        memory.reset(mark)
      } finally {
        found?.free()
      }
    },
    receive(share, rowCount, received) {
      shares[share].push(append(received, rowCount))
    },
    *pieces(share) {
      for (const { from, byteLength, rowCount } of shares[share]) {
        yield { rowCount, bytes: (spill.file as SpillFile).read(from, byteLength) }
      }
    },
    add({ ranks, aggregation, rowCount }, given) {
      const groups = createShareGroups(context, width, specs, 0)
      let dictionaries: (LaneDictionary | null)[] = []
      try {
        for (const { keys, indices, count } of given) {
          const mark = memory.mark()
          const planes = planeColumns(keyPlanes(k, layout, keys, count), width, count)
          const columns = [...planes, take(k, words(ranks, rowCount), indices, count)]
          groups.addGroups({ rowCount: count, columns }, aggregation.laneState(indices, count), false)
          memory.reset(mark)
          dictionaries = keys.map(({ dictionary }) => dictionary)
        }
        if (groups.length > 0) part(groups, dictionaries, 0, SHARE_BITS, shares)
      } finally {
        groups.free()
      }
    },
    *finish(share, ...use) {
      const pieces = shares[share].splice(0)
      if (pieces.length > 0) yield* finishPieces(pieces, SHARE_BITS, ...use)
    },
  }
}

class NoRoom {
  constructor(
    readonly error: unknown,
    readonly mayPart: boolean,
  ) {}
}

export const isMemoryLimit = (error: unknown): boolean =>
  error instanceof MillraceError && error.code === 'MR_MEMORY_LIMIT'

const dictionariesIn = ({ columns }: LaneBatch): LaneDictionary[] =>
  columns.map(dictionaryOf).filter(dictionary => dictionary !== null)

const sumBytes = (pieces: readonly Piece[]): number => pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)

/** Bits that tell so many parts, and half as many again, apart. */
const bitsFor = (parts: number): number => Math.max(1, Math.min(SHARE_BITS, Math.ceil(Math.log2(1.5 * parts))))

/** Byte length of the batch in 8 bytes, the batch, the states. */
function groupBytes(batch: VectorBatch, state: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const keys = batchBytes(batch)
  const all = new Uint8Array(state.reduce((sum, { length }) => sum + length, 8 + keys.length))
  new Uint32Array(all.buffer, 0, 1)[0] = keys.length
  all.set(keys, 8)
  let at = 8 + keys.length
  for (const piece of state) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

function groupsOfBytes(
  bytes: Uint8Array<ArrayBuffer>,
  types: readonly DataType[],
): { batch: VectorBatch; state: Uint8Array } {
  const [length] = new Uint32Array(bytes.buffer, bytes.byteOffset, 1)
  return { batch: batchOfBytes(bytes.subarray(8, 8 + length), types), state: bytes.subarray(8 + length) }
}
