/**
 * Which rows of one side have the key of a row of the other: an index of the rows that are looked up, and the looking up, morsel by morsel. What keys are as words is
 * join-keys.ts's; the layout is drawn in assembly/join.ts.
 */
import type { DataType } from '../columnar/type.js'
import { bitmapBytes } from './bitmap.js'
import { type CodeMap, createCodeMap } from './code-map.js'
import type { Kernels } from './instance.js'
import { isPlain, isWhole, type KeyWords, keyWords } from './join-keys.js'
import type { LaneVector } from './lane-vector.js'
import { integerKind } from './operand.js'
import { createPartedIndex, type PartedIndex } from './parted-index.js'
import { rangeOf } from './stats.js'
import type { LaneDictionary } from './text.js'

/** No row, in lists of u32. */
export const NONE = 0xffffffff
/** Words are ids as they are while there are no more than so many to a row, or so many at all. */
const IDS_PER_ROW = 8n
const LEAST_IDS = 2n ** 16n
const MOST_IDS = 2n ** 28n
/** One word for several keys: products stay below. */
const MOST_WORDS = 2n ** 62n

export interface JoinIndex {
  /** What finds rows, for `explain`. */
  readonly kernel: string
  /** Every id is below. */
  readonly idCount: number
  /** Whether one row at most is found by a key. */
  readonly isUnique: boolean
  /** Where keys are not unique, or lists were asked for: u32[idCount + 1], where the rows of each id begin in `rows`. */
  readonly starts: number
  readonly rows: number
  /** Whether the columns' bounds tell that the index has none of their keys: nothing need be looked up. */
  misses(keys: readonly LaneVector[]): boolean
  /** The id of each row's key, in scratch; NONE where the index has no such key. The columns are the other side's. */
  ids(keys: readonly LaneVector[], rowCount: number): number
  /** The row of each row's key likewise, of unique keys; where only tests were asked for, something that is not NONE in its place. */
  rowsOf(keys: readonly LaneVector[], rowCount: number): number
  /** Forgets what it knows of the dictionaries that strings came with. */
  forgetCodes(): void
  free(): void
}

/** A step on the way from words of several keys to one word. */
type Step =
  | {
      readonly kind: 'pack'
      readonly key: number
      readonly base: bigint
      readonly size: bigint
      readonly stride: bigint
    }
  /** The words so far, or those of a key, become the numbers of the first rows that have them. */
  | { readonly kind: 'code'; readonly key: number | null; readonly coder: PartedIndex }

/** Rows a step of the building takes at a time. */
const SLICE_ROWS = 65_536

/** Some rows of the key columns, as scratch or heap has them. */
export interface KeyPiece {
  /** Of all rows. */
  readonly first: number
  readonly count: number
  readonly columns: readonly LaneVector[]
}

/**
 * An index over `rowCount` rows, which come in pieces one after another, each time they are asked for. Yields between two steps, so that others may have a turn;
 * nothing in scratch is needed over a yield.
 * @param types of the key columns, and of those that they are compared with.
 * @param wants `lists`: `starts` and `rows`, unique keys or not; `tests`: only whether there is a row; `either`, as the keys are.
 * @param partRows of a part of those that are hashed, by default as suits the caches
 */
export function* buildJoinIndex(
  k: Kernels,
  types: readonly { readonly own: DataType; readonly other: DataType }[],
  pieces: () => Iterable<KeyPiece>,
  rowCount: number,
  wants: 'lists' | 'tests' | 'either',
  partRows?: number,
): Generator<undefined, JoinIndex> {
  const { exports, memory } = k
  const owned: number[] = []
  const hashes: PartedIndex[] = []
  const maps: (CodeMap | null)[] = types.map(() => null)
  /** By which the side's own keys are coded. */
  const dictionaries: (LaneDictionary | null)[] = types.map(() => null)
  const keep = (byteLength: number): number => {
    const pointer = memory.allocate(byteLength)
    owned.push(pointer)
    return pointer
  }
  const forgetCodes = () => {
    for (const map of maps) map?.free()
  }
  const free = () => {
    for (const pointer of owned.splice(0)) memory.free(pointer)
    for (const hash of hashes.splice(0)) hash.free()
    forgetCodes()
  }
  const addHash = (): PartedIndex => {
    const hash = createPartedIndex(k, rowCount, partRows)
    hashes.push(hash)
    return hash
  }

  /** Of the words of each key; null where there is none. */
  function* rangesOf(): Generator<undefined, ({ min: bigint; max: bigint } | null)[]> {
    const ranges: ({ min: bigint; max: bigint } | null)[] = types.map(() => null)
    for (const { columns } of pieces()) {
      const mark = memory.mark()
      columns.forEach((column, i) => {
        const { own, other } = types[i]
        if (own.kind === 'utf8') {
          dictionaries[i] ??= column.dictionary
          const length = dictionaries[i]?.length ?? 0
          ranges[i] = length === 0 ? null : { min: 0n, max: BigInt(length - 1) }
          return
        }
        if (!isWhole(own, other)) return
        const range = isPlain(own, other) ? (column.range ?? rangeOf(k, column)) : wordRange(column, other)
        if (range === null) return
        const before = ranges[i]
        ranges[i] =
          before === null
            ? range
            : { min: min(before.min, range.min), max: range.max > before.max ? range.max : before.max }
      })
      memory.reset(mark)
      yield
    }
    return ranges
  }

  function wordRange(column: LaneVector, other: DataType) {
    const { words, valid } = keyWords(k, column, other, null)
    return rangeOf(k, { ...column, type: INT64, data: words, validity: valid, dictionary: null })
  }

  /** How words become one. */
  function planOf(ranges: readonly ({ min: bigint; max: bigint } | null)[]): { steps: Step[]; size: bigint } {
    const rows = BigInt(Math.max(1, rowCount))
    const sizes = ranges.map((range, i) =>
      !isWhole(types[i].own, types[i].other) ? MOST_WORDS * 2n : range === null ? 1n : range.max - range.min + 1n,
    )
    const fits = sizes.reduce((product, size) => product * size, 1n) <= MOST_WORDS
    const steps: Step[] = []
    // The words of one key are hashed as they are.
    if (!fits && sizes.length === 1) return { steps, size: sizes[0] }
    let size = 1n
    for (const [key, own] of sizes.entries()) {
      const isCoded = !fits && own > rows
      const span = isCoded ? rows : own
      if (steps.length > 0 && size * span > MOST_WORDS) {
        steps.push({ kind: 'code', key: null, coder: addHash() })
        size = rows
      }
      if (isCoded) steps.push({ kind: 'code', key, coder: addHash() })
      steps.push({ kind: 'pack', key, base: isCoded ? 0n : (ranges[key]?.min ?? 0n), size: span, stride: size })
      size *= span
    }
    return { steps, size }
  }

  try {
    const ranges = yield* rangesOf()
    const { steps, size } = planOf(ranges)
    const isDirect = size <= MOST_IDS && (size <= LEAST_IDS || size <= IDS_PER_ROW * BigInt(rowCount))
    const last = isDirect ? null : addHash()

    /**
     * What comes of the steps before `end`, or where that one codes a key, of that alone.
     * @param from the first of the side's own rows, as the index is built; null: rows that look things up
     */
    const wordsOf = (
      keys: readonly LaneVector[],
      count: number,
      from: number | null,
      end: number = steps.length,
    ): KeyWords => {
      const next: Step | undefined = steps[end]
      if (next === undefined ? steps.length === 0 : next.key !== null)
        return wordsOfKey(keys[next?.key ?? 0], next?.key ?? 0, from === null)
      const out = memory.scratch(8 * count + 8)
      const valid = memory.scratch(bitmapBytes(count))
      let coded: KeyWords | null = null
      let isFirst = true
      for (const step of steps.slice(0, end)) {
        if (step.kind === 'pack') {
          const { words, valid: has } = coded ?? wordsOfKey(keys[step.key], step.key, from === null)
          exports.joinPack(words, has, step.base, step.size, step.stride, !isFirst, count, out, valid)
          isFirst = false
          coded = null
          continue
        }
        const { key, coder } = step
        const isKey = key !== null
        const ids =
          from !== null
            ? coder.values + 4 * from
            : coder.find(isKey ? wordsOfKey(keys[key], key, true) : { words: out, valid }, count)
        const to = isKey ? { words: memory.scratch(8 * count + 8), valid: memory.scratch(bitmapBytes(count)) } : null
        exports.joinIdWords(ids, count, to?.words ?? out, to?.valid ?? valid)
        coded = to
      }
      return { words: out, valid }
    }
    const wordsOfKey = (column: LaneVector, key: number, looksUp: boolean): KeyWords =>
      looksUp
        ? keyWords(k, column, types[key].own, column.type.kind === 'utf8' ? (maps[key] as CodeMap) : null)
        : keyWords(k, column, types[key].other, null)

    function* fill(hash: PartedIndex, end: number, wants: Parameters<PartedIndex['finish']>[0]): Generator<undefined> {
      for (const { first: from, count, columns } of pieces()) {
        const mark = memory.mark()
        hash.add(wordsOf(columns, count, from, end), from, count)
        memory.reset(mark)
        yield
      }
      yield* hash.finish(wants)
    }
    /** With `last`, what its words have for values. */
    const finalIds = (words: KeyWords, count: number): number => {
      if (last !== null) return last.find(words, count)
      const ids = memory.scratch(4 * count)
      exports.joinIds(words.words, words.valid, count, ids)
      return ids
    }

    for (const [at, step] of steps.entries()) if (step.kind === 'code') yield* fill(step.coder, at, 'values')

    const [first] = types
    /** One key whose values, or codes, are ids less the least. */
    const isOne = types.length === 1 && last === null && steps.length === 1
    const only: Step | undefined = steps[0]
    /** Whether those of the side itself are so as they lie there. */
    const isPlainOne = isOne && (first.own.kind === 'utf8' || isPlain(first.own, first.other))
    const kind = first.own.kind === 'utf8' ? -4 : widthOf(first.own)
    const { base: least, size: span } = only?.kind === 'pack' ? only : { base: 0n, size: 0n }

    /** Of rows of the side itself, where they need no table. */
    const idsOf = (columns: readonly LaneVector[], count: number, from: number): number => {
      if (!isPlainOne) return finalIds(wordsOf(columns, count, from), count)
      const [{ data, validity }] = columns
      const ids = memory.scratch(4 * count)
      exports.joinDirect(kind, data, validity, least, span, 0, count, ids)
      return ids
    }

    let bits = 0
    let rowOf = 0
    const openRows = (count: number) => {
      rowOf = keep(4 * count)
      memory.u8.fill(0xff, rowOf, rowOf + 4 * count)
    }
    let taken = 0
    if (isPlainOne && wants === 'either') {
      openRows(Number(span))
      for (const { first: from, count, columns } of pieces()) {
        const [{ data, validity }] = columns
        taken += exports.joinDirectRows(kind, data, validity, least, span, from, count, rowOf) >>> 0
        yield
        if (taken > 0) break
      }
    }
    let isUnique = (rowOf !== 0 && taken === 0) || wants === 'tests'

    let idCount = Math.max(1, Number(size))
    let starts = 0
    let rows = 0
    if (last !== null) {
      yield* fill(last, steps.length, wants === 'tests' ? 'first' : wants)
      isUnique = last.hasRows
      idCount = last.idCount
      starts = last.starts
      rows = last.rows
    } else if (wants === 'tests') {
      const byteLength = bitmapBytes(idCount)
      bits = keep(byteLength)
      memory.u8.fill(0, bits, bits + byteLength)
      for (const { first: from, count, columns } of pieces()) {
        const mark = memory.mark()
        exports.joinSetBits(idsOf(columns, count, from), count, bits)
        memory.reset(mark)
        yield
      }
    } else if (!isUnique) {
      // The ids of all rows, then where each is.
      const all = keep(4 * rowCount + 16)
      for (const { first: from, count, columns } of pieces()) {
        const mark = memory.mark()
        const ids = idsOf(columns, count, from)
        memory.u8.copyWithin(all + 4 * from, ids, ids + 4 * count)
        memory.reset(mark)
        yield
      }
      if (rowOf === 0 && wants !== 'lists') {
        openRows(idCount)
        for (let from = 0; from < rowCount; from += SLICE_ROWS) {
          taken += exports.joinRowOf(all + 4 * from, from, Math.min(SLICE_ROWS, rowCount - from), rowOf) >>> 0
          yield
        }
        isUnique = taken === 0
      }
      if (!isUnique) {
        drop(rowOf)
        rowOf = 0
        starts = keep(4 * idCount + 4)
        rows = keep(4 * rowCount + 4)
        memory.u8.fill(0, starts, starts + 4 * idCount + 4)
        exports.joinCount(all, rowCount, starts)
        yield
        exports.joinBegin(starts, idCount)
        yield
        exports.joinScatter(all, 0, rowCount, starts, rows)
        yield
      }
      drop(all)
    }
    function drop(pointer: number) {
      if (pointer === 0) return
      owned.splice(owned.indexOf(pointer), 1)
      memory.free(pointer)
    }

    for (const hash of hashes) hash.dropValues()

    dictionaries.forEach((dictionary, i) => {
      if (dictionary !== null) maps[i] = createCodeMap(k, dictionary, false)
    })

    const isOutside = ({ type, range }: LaneVector, i: number): boolean => {
      const own = ranges[i]
      if (range === null || own === null || !isPlain(type, types[i].own)) return false
      return range.max < own.min || range.min > own.max
    }
    const direct = (keys: readonly LaneVector[], count: number, table: number): number | null => {
      const [{ type, data, validity, dictionary }] = keys
      if (!isOne) return null
      if (type.kind === 'utf8') {
        const out = memory.scratch(4 * count)
        const map = maps[0]
        if (dictionary === null || map === null) {
          memory.u8.fill(0xff, out, out + 4 * count)
          return out
        }
        const codes = map.of(dictionary)
        exports.joinDirect(-4, data, validity, 0n, BigInt(dictionary.length), codes, count, out)
        // Strings that have come to the side's dictionary since are no row's.
        if ((dictionaries[0]?.length ?? 0) > span) exports.joinDirect(-4, out, 0, 0n, span, 0, count, out)
        if (table !== 0) exports.joinLookUp(out, table, count, out)
        return out
      }
      if (!isPlain(type, first.own)) return null
      const out = memory.scratch(4 * count)
      exports.joinDirect(widthOf(type), data, validity, least, span, table, count, out)
      return out
    }
    const ids = (keys: readonly LaneVector[], count: number): number => {
      // Nothing has been mapped where there is no row.
      if (rowCount === 0) {
        const none = memory.scratch(4 * count)
        memory.u8.fill(0xff, none, none + 4 * count)
        return none
      }
      return direct(keys, count, 0) ?? finalIds(wordsOf(keys, count, null), count)
    }
    return {
      kernel: `${isDirect ? 'direct' : 'hash'}${types.length === 1 ? '' : ' composite'}${wants === 'tests' ? ', tests' : isUnique ? ', unique' : ''}`,
      idCount,
      isUnique,
      starts,
      rows,
      misses: keys => rowCount === 0 || keys.some(isOutside),
      ids,
      rowsOf(keys, count) {
        const found = rowOf === 0 || rowCount === 0 ? null : direct(keys, count, rowOf)
        if (found !== null) return found
        const rowIds = ids(keys, count)
        if (bits !== 0) exports.joinKeepSet(rowIds, count, bits)
        else if (last === null) exports.joinLookUp(rowIds, rowOf, count, rowIds)
        return rowIds
      },
      forgetCodes,
      free,
    }
  } catch (error) {
    free()
    throw error
  }
}

/** As `joinDirect` is told it. */
const widthOf = ({ kind }: DataType): number => (kind === 'date' ? 4 : kind === 'timestamp' ? 8 : integerKind(kind))

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const INT64: DataType = { kind: 'int64', nullable: false }
