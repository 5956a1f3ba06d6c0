/**
 * approxCountDistinct: HyperLogLog over any type, exact but for rare collisions while a group has few values. State, hash and papers are in
 * assembly/aggregate/hyper-log-log.ts.
 *
 * ```
 * serialised   precision u32     a group: how many tokens u32[count], 0xffffffff for one that has registers
 *              tokens u32[], those of a group ascending     registers u8[2^precision] of each that has them
 * ```
 */
import { type DataType, int64 } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import type { LaneDictionary } from '../text.js'
import { type Accumulator, type AccumulatorContext, type Family, numbers } from './accumulator.js'
import { createGroupTables, readParameter } from './group-tables.js'
import { createImages } from './images.js'
import { BLOCK_ROWS } from './slots.js'

const PRECISION = 14
const REGISTERS = 0xffffffff

export const hyperLogLog: Family = {
  counts: false,
  share: ({ parameters }) => `hyperLogLog ${parameters.precision ?? PRECISION}`,
  create: (context, { inputs: [type], parameters }) =>
    createHyperLogLog(context, type, parameters.precision ?? PRECISION),
}

function createHyperLogLog(context: AccumulatorContext, type: DataType, precision: number): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const tables = createGroupTables(k)
  const tokens = type.kind === 'utf8' ? createTextTokens(context) : createTokens(context, type)
  let groupCount = 0

  const add = (groups: number, from: number, validity: number, count: number) =>
    tables.run(count, (pool, row) =>
      exports.hyperLogLogAdd(pool, tables.pointer, groups, from, validity, row, count, precision),
    )

  return {
    kernel: `${type.kind} 2^${precision}`,
    resize(count) {
      groupCount = count
      tables.resize(count)
    },
    update({ vectors: [vector], validity, groups, rowCount }) {
      tokens.each(vector, rowCount, (block, from, count) =>
        add(groups === 0 ? 0 : groups + 4 * from, block, validity === 0 ? 0 : validity + from / 8, count),
      )
    },
    write(writer, groups, count) {
      const mark = memory.mark()
      const lengths = memory.scratch(4 * count)
      const used = exports.groupTablesUsed(tables.pointer, groups, count) >>> 0
      const taken = memory.scratch(4 * used + 4)
      exports.hyperLogLogTake(tables.pointer, groups, count, lengths, taken, !writer.forLane)
      writer.u32(precision)
      writer.lane(k, lengths, 4 * count)
      writer.lane(k, taken, 4 * used)
      for (let i = 0; i < count; i++) {
        if (memory.u32[(lengths >>> 2) + i] !== REGISTERS) continue
        const group = groups === 0 ? i : memory.u32[(groups >>> 2) + i]
        writer.lane(k, memory.u32[(tables.pointer >>> 2) + 4 * group], 2 ** precision)
      }
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      readParameter(reader, 'approxCountDistinct', 'precision', precision)
      const mark = memory.mark()
      const lengths = reader.lane(k, 4 * count)
      let used = 0
      for (const length of memory.u32.subarray(lengths >>> 2, (lengths >>> 2) + count))
        if (length !== REGISTERS) used += length
      const taken = reader.lane(k, 4 * used)
      const groups = memory.scratch(4 * used)
      exports.groupTablesSpread(lengths, groupMap, count, groups)
      add(groups, taken, 0, used)
      for (let i = 0; i < count; i++) {
        if (memory.u32[(lengths >>> 2) + i] !== REGISTERS) continue
        const one = memory.mark()
        const registers = reader.lane(k, 2 ** precision)
        const group = memory.u32[(groupMap >>> 2) + i]
        tables.run(1, pool => Number(exports.hyperLogLogMerge(pool, tables.pointer, group, registers, precision)))
        memory.reset(one)
      }
      memory.reset(mark)
    },
    evaluate() {
      const data = memory.scratch(8 * groupCount)
      exports.hyperLogLogEstimates(tables.pointer, groupCount, precision, memory.scratch(1024), data)
      // It is never null: of no values it is 0.
      const validity = memory.scratch(bitmapBytes(groupCount))
      memory.bytes(validity, bitmapBytes(groupCount)).fill(0xff)
      return { ...numbers(int64(), groupCount, data), validity }
    },
    free() {
      tables.free()
      tokens.free()
    },
  }
}

interface Tokens {
  /** Calls `use` with a block of tokens of rows `from` (a multiple of 8) to `from + count`, until all rows were had. */
  each(vector: LaneVector, rowCount: number, use: (tokens: number, from: number, count: number) => void): void
  free(): void
}

function createTokens({ k }: AccumulatorContext, type: DataType): Tokens {
  const { exports, memory } = k
  const images = createImages(k, type)
  const { bytes } = images
  return {
    each({ data }, rowCount, use) {
      const mark = memory.mark()
      const tokens = memory.scratch(4 * BLOCK_ROWS)
      images.each(data, 0, rowCount, 0n, (block, from, count) => {
        for (let at = 0; at < count; at += BLOCK_ROWS) {
          const some = Math.min(BLOCK_ROWS, count - at)
          exports.hyperLogLogTokens(block + bytes * at, bytes, some, tokens)
          use(tokens, from + at, some)
        }
      })
      memory.reset(mark)
    },
    free() {},
  }
}

/** A string is hashed once, when its entry of the dictionary is first seen. */
function createTextTokens({ k }: AccumulatorContext): Tokens {
  const { exports, memory } = k
  let hashed: LaneDictionary | null = null
  let length = 0
  let capacity = 0
  let pointer = 0

  const hash = (entries: LaneDictionary) => {
    if (entries !== hashed) length = 0
    hashed = entries
    if (entries.length > capacity) {
      capacity = Math.max(entries.length, 2 * capacity)
      pointer = memory.reallocate(pointer, 4 * capacity)
    }
    exports.hyperLogLogTextTokens(entries.offsets, entries.bytes, length, entries.length, pointer)
    length = entries.length
  }

  return {
    each({ data, dictionary }, rowCount, use) {
      if (dictionary === null) return
      hash(dictionary)
      const mark = memory.mark()
      const tokens = memory.scratch(4 * BLOCK_ROWS)
      for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rowCount - from)
        exports.selectTake32(pointer, data + 4 * from, count, tokens)
        use(tokens, from, count)
      }
      memory.reset(mark)
    },
    free() {
      memory.free(pointer)
      pointer = 0
      capacity = 0
      hashed = null
    },
  }
}
