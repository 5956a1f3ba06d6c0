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

/** Rows of one column as kernels take them, made when first asked for: 0 where the mask forbids. */
interface Column {
  readonly integer: boolean
  /** The rows as they are stored, where nothing is masked; else 0. */
  readonly stored: number
  readonly doubles: () => number
  /** int64; of integers only. */
  readonly integers: () => number
}

/** Some of a batch's rows. */
interface Block {
  readonly from: number
  readonly count: number
  /** u32 pointer, never 0. */
  readonly groups: number
  /** Bitmap of the rows that count, or 0. */
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

  const provide = (rowCount: number) => {
    if (lanes.reserve(rowCount)) return
    empty()
    lanes.reserve(rowCount)
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
      exports.momentsGather(place + 16 * from, 16, groups, count, offset, width, at, chunks, chunkCount)
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

  const load = ({ vectors }: AccumulatorRows, { from, count, mask }: Block): Column[] =>
    kinds.map((kind, i) => {
      const data = vectors[i].data + elementBytes(kind) * from
      const integer = !isFloat(kind)
      const make = (write: (out: number) => void) => {
        const out = memory.scratch(8 * count + 32)
        write(out)
        return out
      }
      const integers = once(() =>
        kind === 'int64' && mask === 0 ? data : make(out => fillerOf(k, kind)(out, 8, data, mask, count)),
      )
      const doubles = once(() => {
        if (integer) return make(out => exports.momentsDoubles(integers(), count, out))
        if (kind === 'float64' && mask === 0) return data
        const copy = kind === 'float64' ? exports.momentsMaskF64 : exports.momentsMaskF32
        return make(out => copy(data, mask, count, out))
      })
      return { integer, stored: mask === 0 ? data : 0, integers, doubles }
    })

  /** Adds rows to the lanes, or takes them back. False where the lanes cannot hold them, with nothing changed. */
  const addRows = (columns: readonly Column[], { groups, count }: Block, retract: boolean): boolean => {
    const { layout } = lanes
    if (layout === null) return false
    const { form, spans, fields } = layout
    let images: number[] = []
    if (form !== 'bins') {
      const asStored = kinds.every((kind, i) => kind === 'int32' && columns[i].stored !== 0)
      for (const [i, { integer, stored, integers, doubles }] of columns.entries()) {
        const image = asStored ? stored : integer ? integers() : memory.scratch(8 * count + 32)
        const { low, top } = spans[i]
        if (!integer && !exports.sumFloatOneF64(image, 8, doubles(), 0, count, magic(low), 2 ** top)) return false
        images = [...images, image]
      }
      provide(count)
      const { state, pitch, copy } = lanes
      const [a, b] = images
      if (form === 'packed') {
        const add = asStored ? exports.momentsPackedI32 : exports.momentsPackedI64
        add(state, copy, groups, a, b, count, fields[B].offset, fields[AA].offset)
      } else if (two) {
        const add = asStored ? exports.momentsTwoI32 : exports.momentsTwoI64
        add(state, pitch, copy, groups, a, b, count, retract)
      } else {
        const add = asStored ? exports.momentsOneI32 : exports.momentsOneI64
        add(state, copy, groups, a, count, retract)
      }
      return true
    }
    provide(count)
    const { state, pitch, copy } = lanes
    const pointers = columns.map(({ doubles }) => doubles())
    /** Slots, values and squares of one column. */
    const bins = (i: number, undo: boolean) => {
      const { exponent: low } = fields[6 * i]
      const width = fields[6 * i + 1].exponent - low
      const to = state + 3 * i * pitch
      return exports.momentsBins(to, pitch, copy, groups, pointers[i], count, low, width, 2 ** spans[i].top, undo)
    }
    for (let i = 0; i < pointers.length; i++) {
      if (bins(i, retract)) continue
      for (let j = 0; j <= i; j++) bins(j, !retract)
      return false
    }
    if (two) {
      const { exponent: unit } = fields[12]
      const width = fields[13].exponent - unit
      const [a, b] = pointers
      exports.momentsProducts(state + 6 * pitch, pitch, copy, groups, a, b, count, unit, width, retract)
    }
    return true
  }

  /** Adds rows to the wide sums one by one, or takes them back: finite ones, of such spans. */
  const addWide = (
    columns: readonly Column[],
    spans: readonly { low: number; top: number }[],
    { groups, count, mask }: Block,
    asIntegers: boolean,
    retract: boolean,
  ) => {
    const pointers = columns.map(({ integer, integers, doubles }) => (integer && asIntegers ? integers() : doubles()))
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
        columns[a].integer && asIntegers,
        pointers[b] ?? 0,
        asIntegers && columns[b]?.integer,
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
      exports.sumFloatSpanF64(doubles(), 0, count, bits, out)
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
      addWide(columns, full, { ...block, mask }, true, retract)
      return 0
    }
    if (adopt(spans)) return mask
    // Rather some rows by themselves than more bits for all. First the lanes are made to hold as much as they can below what they hold now;
    // where that leaves most rows out, and not too much must be moved, as much as they can of this block's, from its top down or its bottom up.
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
    let held = fitting(columns, mask, count)
    const movable = lanes.rows === 0 || lanes.rows > LEAST_ROWS_A_GROUP * groupCount
    for (const choose of [clip, clipAbove]) {
      if (!movable || exports.bitmapCount(held, count) >= count / 2) break
      reset(spans.map((span, i) => choose(known(span, i))))
      held = fitting(columns, mask, count)
    }
    const others = mask === 0 ? not(k, held, count) : andNot(k, mask, held, count)
    addWide(columns, full, { ...block, mask: others }, false, retract)
    return held
  }

  /** Which rows of a mask the lanes can hold. */
  const fitting = (columns: readonly Column[], mask: number, count: number): number => {
    const { spans } = lanes.layout as MomentLayout
    return columns.reduce((held, { doubles }, i) => {
      const bits = memory.scratch(bitmapBytes(count))
      exports.momentsFitting(doubles(), count, spans[i].low, 2 ** spans[i].top, bits)
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
    lanes.prepare(rowCount)
    let groups = rows.groups
    if (groups === 0) {
      groups = memory.scratch(4 * BLOCK_ROWS)
      memory.u32.fill(0, groups >>> 2, (groups >>> 2) + BLOCK_ROWS)
    }
    const block = (from: number, count: number): Block => ({
      from,
      count,
      groups: rows.groups === 0 ? groups : groups + 4 * from,
      mask: validity === 0 ? 0 : validity + from / 8,
    })
    // Many at once where nothing must be written first and nothing is in the way, else block by block.
    const plain = lanes.layout?.form === 'bins' ? 'float64' : 'int32'
    const isPlain = !onlyWide && rows.groups !== 0 && validity === 0 && kinds.every(kind => kind === plain)
    for (let from = 0; from < rowCount; ) {
      const mark = memory.mark()
      const most = isPlain ? Math.max(BLOCK_ROWS, (lanes.layout?.rows ?? 0) / 4) : BLOCK_ROWS
      let some = block(from, Math.min(most, rowCount - from))
      let columns = load(rows, some)
      if (onlyWide || !addRows(columns, some, retract)) {
        if (some.count > BLOCK_ROWS) {
          some = block(from, BLOCK_ROWS)
          columns = load(rows, some)
        }
        const held = { ...some, mask: settle(columns, ranges, some, onlyWide, retract) }
        if (!onlyWide) addRows(load(rows, held), held, retract)
      }
      from += some.count
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
    const pointer = memory.scratch(4 * window.count * count)
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
    evaluate({ function: name, parameters: { population = false } }: AggregateSpec, counts) {
      const out = memory.scratch(8 * groupCount)
      const validity = memory.scratch(bitmapBytes(groupCount))
      const results = { ...numbers(float64(), groupCount, out), validity }
      const kind = name === 'correlation' ? 1 : name === 'slope' ? 2 : 0
      const root = name === 'stddev'
      const specialCounts = specials?.pointer ?? 0
      const table = memory.scratch(60)
      if (!wide.some(Boolean) && lanes.copy === 0 && lanes.layout !== null && lanes.layout.form !== 'bins') {
        const { fields } = lanes.layout
        for (const field of fields) {
          memory.u32.set([lanes.places(field)[0], field.offset, field.width], (table + 12 * field.sum) >>> 2)
        }
        const [a, b] = fields.map(field => field.exponent)
        const exponent = kind === 2 ? a - b : fields[fields.length - 1].exponent
        if (
          exports.momentsEvaluateSmall(
            table,
            kind,
            two,
            population,
            root,
            exponent,
            counts,
            specialCounts,
            groupCount,
            out,
            validity,
          )
        ) {
          return results
        }
      }
      const windows = sums.map(windowOf)
      // Sums as they are, and as factors of a product.
      const firsts = windows.flatMap(({ first }) => [first, 2 * first - digitOf(0)])
      const ends = windows.flatMap(({ first, count }) => [first + count, 2 * (first + count) - digitOf(0)])
      const capacity = Math.max(...ends) - Math.min(...firsts) + 8
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
          kind,
          two,
          population,
          root,
          counts + 8 * from,
          specialCounts && specialCounts + 8 * from,
          count,
          out + 8 * from,
          validity + from / 8,
          capacity,
          work,
        )
        memory.reset(mark)
      }
      return results
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

/** Asks but once. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The constant that rounds a double to a multiple of 2^unit: assembly/aggregate/sum-float.ts. */
const magic = (unit: number): number => 1.5 * 2 ** (52 + unit)
