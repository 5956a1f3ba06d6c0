/**
 * Variances, standard deviations, covariances, correlations and slopes from exact sums of values, squares and products. Rows are added to
 * lanes (moment-lanes.ts) while these hold their bits; from there, and what no lane holds row by row, it goes to the wide sums of ../wide.ts. Both
 * together are the state, so that when anything moves shows in no result, and what is taken back leaves nothing. Results are moment-results.ts's.
 */
import { float64, isFloat, type Kind } from '../../columnar/type.js'
import { and, andNot, bitmapBytes, bothValid, not } from '../bitmap.js'
import {
  addDigitsToLimbs,
  type Digits,
  digitOf,
  digitsOfLimbs,
  exponentOf,
  spanOfDigits,
  trimDigits,
} from '../exact.js'
import type { Kernels } from '../instance.js'
import { elementBytes } from '../operand.js'
import { rangeOf } from '../stats.js'
import { createWideSums, type WideSums } from '../wide.js'
import { type Accumulator, type AccumulatorRows, type AggregateSpec, type Family, numbers } from './accumulator.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createMomentLanes } from './moment-lanes.js'
import {
  A,
  AA,
  AB,
  B,
  BB,
  chooseLayout,
  clip,
  clipAbove,
  holdsSpan,
  joinSpans,
  type MomentField,
  type MomentLayout,
  type MomentSpan,
} from './moment-layout.js'
import { BLOCK_ROWS } from './slots.js'
import { COUNT, readDigits, statesOf, writeDigits } from './state-bytes.js'
import { fillerOf } from './sum-int.js'

export const moments: Family = {
  counts: true,
  share: () => 'moments',
  create: ({ k }, { inputs }) =>
    createMoments(
      k,
      inputs.map(({ kind }) => kind),
    ),
}

/** Integers of more bits are no doubles. */
const DOUBLE_BITS = 53
/** Groups whose sums are gathered at once: a multiple of 8. */
const BLOCK_GROUPS = 1024
/** A layout that leaves most rows out is given up after so many rows a group. */
const LEAST_ROWS_A_GROUP = 16

/** A block of one column, in the forms that have been asked for; 0 is none. */
interface Column {
  readonly integer: boolean
  /** int64 a row. */
  readonly integers: number
  readonly doubles: number
}

interface Block {
  readonly groups: number
  readonly count: number
  readonly mask: number
}

function createMoments(k: Kernels, kinds: readonly Kind[]): Accumulator {
  const { exports, memory } = k
  const two = kinds.length === 2
  const sums = two ? [A, B, AA, BB, AB] : [A, AA]
  const lanes = createMomentLanes(k)
  const wide: (WideSums | undefined)[] = []
  /** Rows a group with a NaN or an infinity. */
  let specials: GroupArray | null = null
  /** What the layout has been chosen for. */
  let seen: readonly (MomentSpan | null)[] = kinds.map(() => null)
  let retracts = false
  let groupCount = 0

  /** The wide sum, holding values of such a span. */
  const wideSum = (sum: number, low: number, top: number): WideSums => {
    const found = wide[sum] ?? createWideSums(k, { low, top }, true)
    found.cover({ low, top })
    found.resize(groupCount)
    wide[sum] = found
    return found
  }

  /** Moves all that the lanes hold to the wide sums. */
  const empty = () => {
    if (lanes.layout === null || lanes.rows === 0) return
    for (const field of lanes.layout.fields) {
      const to = wideSum(field.sum, field.exponent, field.exponent + 64)
      to.reserve(lanes.places(field).length)
      gatherField(field, to.first, 0, groupCount, 0, to.chunks, to.chunkCount)
    }
    lanes.clear()
  }

  /** Adds a field of groups `groups[0..count)` (u32 pointer), or with 0 of `count` from `from` on, to chunks, the first being digit `first`. */
  function gatherField(
    field: MomentField,
    first: number,
    groups: number,
    count: number,
    from: number,
    chunks: number,
    chunkCount: number,
  ): void {
    const { offset, width, exponent } = field
    const at = exponent - exponentOf(first)
    for (const place of lanes.places(field)) {
      const { stride } = lanes
      exports.momentsGather(place + from * stride, stride, groups, count, offset, width, at, chunks, chunkCount)
    }
  }

  const setLayout = (spans: readonly MomentSpan[]): boolean => {
    const next = chooseLayout(spans, !retracts)
    if (next === null) return false
    empty()
    lanes.setLayout(next)
    return true
  }

  const reset = (spans: readonly MomentSpan[]) => {
    setLayout(spans)
    seen = spans
  }

  /** Makes the lanes hold values of such spans; false where they cannot. */
  const adopt = (more: readonly (MomentSpan | null)[]): boolean => {
    const { layout } = lanes
    if (layout !== null && more.every((span, i) => span === null || holdsSpan(layout.spans[i], span))) return true
    const joined = more.map((span, i) => joinSpans(seen[i], span))
    if (!setLayout(joined.map((span, i) => span ?? zeros(kinds[i])))) return false
    seen = joined
    return true
  }

  /** The columns' values where the mask allows, else 0. */
  const load = ({ vectors }: AccumulatorRows, from: number, { mask, count }: Block): Column[] =>
    kinds.map((kind, i) => {
      const data = vectors[i].data + elementBytes(kind) * from
      const integer = !isFloat(kind)
      if (kind === 'float64' && mask === 0) return { integer, integers: 0, doubles: data }
      const out = memory.scratch(8 * count + 32)
      if (integer) fillerOf(k, kind)(out, 8, data, mask, count)
      else if (kind === 'float64') exports.momentsMaskF64(data, mask, count, out)
      else exports.momentsMaskF32(data, mask, count, out)
      return integer ? { integer, integers: out, doubles: 0 } : { integer, integers: 0, doubles: out }
    })

  const doublesOf = ({ integers, doubles }: Column, count: number): number => {
    if (doubles !== 0) return doubles
    const out = memory.scratch(8 * count + 32)
    exports.momentsDoubles(integers, count, out)
    return out
  }

  /** Writes what rows add to the lanes; false where these cannot hold it. */
  const fill = (columns: readonly Column[], count: number): boolean => {
    const { layout, addends, pitch } = lanes
    if (layout === null) return false
    const { form, spans, fields } = layout
    if (form === 'bins') {
      const pointers = columns.map(column => doublesOf(column, count))
      const fits = pointers.every((data, i) => {
        const { low, top } = spans[i]
        const { exponent } = fields[2 * i + 1]
        return exports.sumFloatTwoF64(addends + i * pitch, data, 0, count, magic(low), magic(exponent), 2 ** top)
      })
      if (!fits) return false
      const [a, b] = pointers
      for (let lane = 2 * kinds.length; lane < fields.length; lane += 4) {
        const { sum, exponent: unit } = fields[lane]
        const width = fields[lane + 1].exponent - unit
        const out = addends + (lane / 2) * pitch
        if (sum === AB) exports.momentsProducts(out, pitch, a, b, count, unit, width)
        else exports.momentsSquares(out, pitch, sum === AA ? a : b, count, unit, width)
      }
      return true
    }
    const images: number[] = []
    for (const [i, { integer, integers, doubles }] of columns.entries()) {
      const { low, top } = spans[i]
      const out = integer ? integers : memory.scratch(8 * count + 32)
      if (!integer && !exports.sumFloatOneF64(out, 8, doubles, 0, count, magic(low), 2 ** top)) return false
      images.push(out)
    }
    const [a, b] = images
    if (form === 'packed') {
      exports.momentsPackedI64(addends, a, b, count, fields[B].offset, fields[AA].offset, fields[AB].offset)
    } else if (two) exports.momentsTwoI64(addends, pitch, a, b, count)
    else exports.momentsOneI64(addends, a, count)
    return true
  }

  /** Adds rows to the wide sums one by one, or takes them back: finite ones, of such spans. */
  const addWide = (
    columns: readonly Column[],
    spans: readonly { low: number; top: number }[],
    { groups, count, mask }: Block,
    retract: boolean,
  ) => {
    const pointers = columns.map(({ integer, integers, doubles }) => (integer ? integers : doubles))
    const factors = [[0], [1], [0, 0], [1, 1], [0, 1]]
    for (const sum of sums) {
      const [a, b] = factors[sum]
      const low = spans[a].low + (spans[b]?.low ?? 0)
      // 128 bits and their places are written, whether set or not.
      const to = wideSum(sum, low, Math.max(spans[a].top + (spans[b]?.top ?? 0), low + 128))
      to.reserve(count)
      exports.momentsWide(
        to.chunks,
        to.chunkCount,
        exponentOf(to.first),
        groups,
        pointers[a],
        columns[a].integer,
        pointers[b] ?? 0,
        columns[b]?.integer ?? false,
        mask,
        count,
        retract,
      )
    }
  }

  /**
   * A block that the lanes do not hold as they are: counts what cannot be added, changes the layout, or adds rows by themselves. Returns the
   * bitmap of the rows that the lanes then hold, or 0.
   */
  const settle = (
    columns: readonly Column[],
    ranges: readonly (MomentSpan | null)[],
    block: Block,
    onlyWide: boolean,
    retract: boolean,
  ): number => {
    const { groups, count } = block
    const out = memory.scratch(16)
    let finite = 0
    let special = false
    /** Of each column, what its values span, and with all bits of their significands. */
    const spans: (MomentSpan | null)[] = []
    const full: { low: number; top: number }[] = []
    for (const [i, { integer, doubles }] of columns.entries()) {
      if (integer) {
        spans.push(ranges[i])
        full.push({ low: 0, top: 64 })
        continue
      }
      const bits = memory.scratch(bitmapBytes(count))
      exports.sumFloatSpanF64(doubles, 0, count, bits, out)
      const [low, least, top, specialCount] = memory.i32.subarray(out >>> 2, (out >>> 2) + 4)
      special ||= specialCount > 0
      finite = finite === 0 ? bits : and(k, finite, bits, count)
      spans.push(low > top ? null : { low, top, negative: true, integer })
      full.push(low > top ? { low: 0, top: 1 } : { low: least, top })
    }
    if (special) {
      specials ??= createGroupArray(k, 8)
      specials.resize(groupCount)
      exports.momentsSpecials(specials.pointer, groups, finite, count, retract ? -1 : 1)
    }
    const mask = finite === 0 ? block.mask : block.mask === 0 ? finite : and(k, block.mask, finite, count)
    if (onlyWide) {
      addWide(columns, full, { ...block, mask }, retract)
      return 0
    }
    if (adopt(spans)) return mask
    // Rather some rows by themselves than more bits for all. First the lanes are made to hold as much as they can below what they hold now;
    // where that leaves most rows out, and not too much must be moved, as much as they can of this block's, from its top down or its bottom up.
    const doubles = columns.map(column => ({ integer: false, integers: 0, doubles: doublesOf(column, count) }))
    const known = (span: MomentSpan | null, i: number) => span ?? seen[i] ?? zeros(kinds[i])
    const { layout } = lanes
    const deeper = spans.map((span, i) => clip(known(joinSpans(seen[i], span), i)))
    if (
      layout === null ||
      (deeper.every(({ top }, i) => top <= layout.spans[i].top) &&
        deeper.some(({ low }, i) => low < layout.spans[i].low))
    ) {
      reset(deeper)
    }
    let held = fitting(doubles, mask, count)
    const movable = lanes.rows === 0 || lanes.rows > LEAST_ROWS_A_GROUP * groupCount
    for (const choose of [clip, clipAbove]) {
      if (!movable || exports.bitmapCount(held, count) >= count / 2) break
      reset(spans.map((span, i) => choose(known(span, i))))
      held = fitting(doubles, mask, count)
    }
    addWide(doubles, full, { ...block, mask: mask === 0 ? not(k, held, count) : andNot(k, mask, held, count) }, retract)
    return held
  }

  /** Which rows of a mask the lanes can hold. */
  const fitting = (columns: readonly Column[], mask: number, count: number): number => {
    const { spans } = lanes.layout as MomentLayout
    return columns.reduce((held, { doubles }, i) => {
      const bits = memory.scratch(bitmapBytes(count))
      exports.momentsFitting(doubles, count, spans[i].low, 2 ** spans[i].top, bits)
      return bothValid(k, held, bits, count)
    }, mask)
  }

  const apply = (rows: AccumulatorRows, retract: boolean) => {
    const { rowCount, validity, vectors } = rows
    const start = memory.mark()
    const ranges = kinds.map((kind, i): MomentSpan | null => {
      if (isFloat(kind)) return null
      const range = vectors[i].range ?? rangeOf(k, vectors[i])
      if (range === null) return null
      const magnitude = range.min < -range.max ? -range.min : range.max
      return { low: 0, top: magnitude.toString(2).length, negative: range.min < 0n, integer: true }
    })
    const onlyWide = ranges.some(span => span !== null && span.top > DOUBLE_BITS)
    if (retract && !retracts) {
      retracts = true
      if (lanes.layout?.form === 'packed') setLayout(lanes.layout.spans)
    }
    if (!onlyWide && (lanes.layout !== null || !kinds.some(isFloat))) adopt(ranges)
    lanes.prepare(rows.groups, rowCount)
    for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
      const mark = memory.mark()
      let block: Block = {
        groups: rows.groups === 0 ? 0 : rows.groups + 4 * from,
        count: Math.min(BLOCK_ROWS, rowCount - from),
        mask: validity === 0 ? 0 : validity + from / 8,
      }
      const columns = load(rows, from, block)
      let filled = !onlyWide && fill(columns, block.count)
      if (!filled) {
        block = { ...block, mask: settle(columns, ranges, block, onlyWide, retract) }
        filled = !onlyWide && fill(load(rows, from, block), block.count)
      }
      if (filled) {
        if (!lanes.reserve(block.count)) empty()
        lanes.add(block.groups, block.count, retract)
      }
      memory.reset(mark)
    }
    memory.reset(start)
  }

  /** The digits that a sum's state takes, lanes and all. */
  const windowOf = (sum: number): { first: number; count: number } => {
    const firsts: number[] = []
    const ends: number[] = []
    const had = wide[sum]
    if (had !== undefined) {
      firsts.push(had.first)
      ends.push(had.first + had.chunkCount)
    }
    for (const { sum: other, exponent } of lanes.layout?.fields ?? []) {
      if (other !== sum) continue
      firsts.push(digitOf(exponent))
      ends.push(digitOf(exponent) + 4)
    }
    if (firsts.length === 0) return { first: digitOf(0), count: 0 }
    const first = Math.min(...firsts)
    return { first, count: Math.max(...ends) - first }
  }

  /** Writes a sum of groups `groups[0..count)` (u32 pointer), or with 0 of `count` from `from` on, as digits of its window. */
  const gather = (sum: number, groups: number, from: number, count: number, digits: number) => {
    const window = windowOf(sum)
    if (window.count === 0) return
    const mark = memory.mark()
    const chunks = memory.scratch(8 * window.count * count)
    const had = wide[sum]
    if (had === undefined) memory.u8.fill(0, chunks, chunks + 8 * window.count * count)
    else {
      const width = 8 * had.chunkCount
      const states = statesOf(k, { pointer: had.chunks + width * from, stride: width }, width, groups, count)
      exports.wideMove(states, had.chunkCount, chunks, window.count, had.first - window.first, count)
    }
    for (const field of lanes.layout?.fields ?? []) {
      if (field.sum === sum) gatherField(field, window.first, groups, count, from, chunks, window.count)
    }
    exports.wideDigits(chunks, window.count, count, digits)
    memory.reset(mark)
  }

  const digitsOf = (sum: number, groups: number, count: number): Digits => {
    const window = windowOf(sum)
    const pointer = memory.allocate(4 * window.count * count)
    for (let from = 0; from < count; from += BLOCK_GROUPS) {
      const some = groups === 0 ? 0 : groups + 4 * from
      gather(sum, some, some === 0 ? from : 0, Math.min(BLOCK_GROUPS, count - from), pointer + 4 * window.count * from)
    }
    return trimDigits(k, { pointer, ...window, groupCount: count })
  }

  return {
    get kernel() {
      const parts = [kinds.join(' '), lanes.layout?.form ?? 'empty']
      if (wide.some(sum => sum !== undefined)) parts.push('wide')
      return parts.join(' ')
    },
    resize(count) {
      groupCount = count
      lanes.resize(count)
      for (const sum of wide) sum?.resize(count)
      specials?.resize(count)
    },
    update: rows => apply(rows, false),
    retract: rows => apply(rows, true),
    write(writer, groups, count) {
      const mark = memory.mark()
      const all = sums.map(sum => digitsOf(sum, groups, count))
      if (specials !== null) {
        const pointer = statesOf(k, { pointer: specials.pointer, stride: 8 }, 8, groups, count)
        all.push(digitsOfLimbs(k, COUNT, { pointer, stride: 8 }, count))
      }
      for (const digits of all) {
        // Nothing is written the same way, wherever its window was.
        writeDigits(k, writer, digits.count === 0 ? { ...digits, first: 0 } : digits)
        memory.free(digits.pointer)
      }
      if (specials === null) writeDigits(k, writer, { pointer: 0, first: 0, count: 0, groupCount: count })
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      for (const sum of sums) {
        const digits = readDigits(k, reader, count)
        const span = spanOfDigits(k, digits)
        if (span !== null) wideSum(sum, span.low, span.top).addDigits(digits, groupMap)
      }
      const digits = readDigits(k, reader, count)
      if (digits.count > 0) {
        specials ??= createGroupArray(k, 8)
        specials.resize(groupCount)
        addDigitsToLimbs(k, COUNT, { pointer: specials.pointer, stride: 8 }, digits, groupMap)
      }
      memory.reset(mark)
    },
    evaluate({ function: name, parameters }: AggregateSpec, counts) {
      const out = memory.scratch(8 * groupCount)
      const validity = memory.scratch(bitmapBytes(groupCount))
      const windows = sums.map(windowOf)
      // Sums as they are, and as factors of a product.
      const firsts = windows.flatMap(({ first }) => [first, 2 * first - digitOf(0)])
      const ends = windows.flatMap(({ first, count }) => [first + count, 2 * (first + count) - digitOf(0)])
      const capacity = Math.max(...ends) - Math.min(...firsts) + 8
      const table = memory.scratch(60)
      const work = memory.scratch(10 * (4 * (capacity + 8) + 16))
      for (let from = 0; from < groupCount; from += BLOCK_GROUPS) {
        const mark = memory.mark()
        const count = Math.min(BLOCK_GROUPS, groupCount - from)
        for (const [i, sum] of sums.entries()) {
          const window = windows[i]
          const digits = memory.scratch(4 * window.count * count)
          gather(sum, 0, from, count, digits)
          memory.u32.set([digits, window.first, window.count], (table + 12 * sum) >>> 2)
        }
        exports.momentsEvaluate(
          table,
          name === 'correlation' ? 1 : name === 'slope' ? 2 : 0,
          two,
          parameters.population ?? false,
          name === 'stddev',
          counts + 8 * from,
          specials === null ? 0 : specials.pointer + 8 * from,
          count,
          out + 8 * from,
          validity + from / 8,
          capacity,
          work,
        )
        memory.reset(mark)
      }
      return { ...numbers(float64(), groupCount, out), validity }
    },
    free() {
      lanes.free()
      for (const sum of wide) sum?.free()
      specials?.free()
    },
  }
}

/** What a column spans of which only zeros are known. */
const zeros = (kind: Kind): MomentSpan => ({ low: 0, top: 1, negative: isFloat(kind), integer: !isFloat(kind) })

/** The constant that rounds a double to a multiple of 2^unit: assembly/aggregate/sum-float.ts. */
const magic = (unit: number): number => 1.5 * 2 ** (52 + unit)
