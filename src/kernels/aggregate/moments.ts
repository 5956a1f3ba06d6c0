/**
 * Variances, standard deviations, covariances, correlations and slopes: how rows come into the exact sums that these are made of, and leave them
 * again. The sums are moment-sums.ts's; the kernels, drawn in assembly/aggregate/moments.ts, add to their lanes where these hold a row's bits.
 */
import { isFloat, type Kind } from '../../columnar/type.js'
import { and, andNot, bitmapBytes, bothValid, not } from '../bitmap.js'
import { exponentOf } from '../exact.js'
import type { Kernels } from '../instance.js'
import { elementBytes } from '../operand.js'
import { rangeOf } from '../stats.js'
import type { Accumulator, AccumulatorRows, Family } from './accumulator.js'
import { fillerOf } from './fill-int.js'
import {
  AA,
  B,
  chooseLayout,
  clip,
  clipAbove,
  holdsSpan,
  joinSpans,
  limbBits,
  type MomentLayout,
  type MomentSpan,
} from './moment-layout.js'
import { createMomentSums } from './moment-sums.js'
import { BLOCK_ROWS } from './slots.js'

export const moments: Family = {
  counts: true,
  share: () => 'moments',
  create: ({ k }, { inputs }) =>
    createMoments(
      k,
      inputs.map(({ kind }) => (kind === 'date' ? 'int32' : kind === 'timestamp' ? 'int64' : kind)),
    ),
}

/** Integers of more bits are no doubles. */
const DOUBLE_BITS = 53
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
  const sums = createMomentSums(k, two)
  const { lanes } = sums
  /** What the layout has been chosen for. */
  let seen: readonly (MomentSpan | null)[] = kinds.map(() => null)
  let retracts = false
  let groupCount = 0

  const setLayout = (spans: readonly MomentSpan[]): boolean => {
    const next = chooseLayout(spans, !retracts)
    if (next !== null) sums.setLayout(next)
    return next !== null
  }

  const reset = (spans: readonly MomentSpan[]) => {
    setLayout(spans)
    seen = spans
  }

  /** What a column's values have spanned so far; lanes that came with a merge say it too. */
  const known = (i: number): MomentSpan | null => {
    const span = seen[i] ?? lanes.layout?.spans[i]
    return span === undefined ? null : { ...span, integer: !isFloat(kinds[i]) }
  }

  /** Makes the lanes hold values of such spans; false where they cannot. */
  const adopt = (more: readonly (MomentSpan | null)[]): boolean => {
    const { layout } = lanes
    if (layout !== null && more.every((span, i) => span === null || holdsSpan(layout.spans[i], span))) return true
    const joined = more.map((span, i) => joinSpans(known(i), span))
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

  /** Which doubles are of such a span, as a bitmap, and how many. */
  const fittingOf = (data: number, rowCount: number, span: MomentSpan): { bits: number; count: number } => {
    const bits = memory.scratch(bitmapBytes(rowCount))
    const count = exports.momentsFitting(data, rowCount, span.low, limbBits(span), 2 ** span.top, bits) >>> 0
    return { bits, count }
  }

  /** Adds rows to the lanes, or takes them back. False where the lanes cannot hold them, with nothing changed; `areFitting` says that they can. */
  const addRows = (
    columns: readonly Column[],
    { groups, count }: Block,
    retract: boolean,
    areFitting = false,
  ): boolean => {
    const { layout } = lanes
    if (layout === null) return false
    const { form, spans, fields } = layout
    let images: number[] = []
    if (form !== 'bins') {
      const asStored = kinds.every((kind, i) => kind === 'int32' && columns[i].stored !== 0)
      for (const [i, { integer, stored, integers, doubles }] of columns.entries()) {
        const image = asStored ? stored : integer ? integers() : memory.scratch(8 * count + 32)
        const { low, top } = spans[i]
        if (!integer && !exports.sumFloatIntegers(image, doubles(), count, magic(low), 2 ** top)) return false
        images = [...images, image]
      }
      sums.provide(count)
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
    const pointers = columns.map(({ doubles }) => doubles())
    if (!areFitting && pointers.some((data, i) => fittingOf(data, count, spans[i]).count < count)) return false
    sums.provide(count)
    const { state, pitch, copy } = lanes
    for (const [i, data] of pointers.entries()) {
      const to = state + 3 * i * pitch
      exports.momentsBins(to, pitch, copy, groups, data, count, spans[i].low, limbBits(spans[i]), retract)
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
    for (const sum of sums.all) {
      const [a, b] = factors[sum]
      const low = spans[a].low + (spans[b]?.low ?? 0)
      // 128 bits and their places are written, whether set or not.
      const to = sums.wide(sum, low, Math.max(spans[a].top + (spans[b]?.top ?? 0), low + 128))
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
      exports.momentsSpecials(sums.specials(), groups, finite, count, retract ? -1 : 1)
    }
    const mask = finite === 0 ? block.mask : block.mask === 0 ? finite : and(k, block.mask, finite, count)
    if (onlyWide) {
      addWide(columns, full, { ...block, mask }, true, retract)
      return 0
    }
    if (adopt(spans)) return mask
    // Rather some rows by themselves than more bits for all. First the lanes are made to hold as much as they can below what they hold now;
    // where that leaves most rows out, and not too much must be moved, as much as they can of this block's, from its top down or its bottom up.
    const { layout } = lanes
    const deeper = spans.map((span, i) => clip(joinSpans(known(i), span) ?? zeros(kinds[i])))
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
      reset(spans.map((span, i) => choose(span ?? known(i) ?? zeros(kinds[i]))))
      held = fitting(columns, mask, count)
    }
    const others = mask === 0 ? not(k, held, count) : andNot(k, mask, held, count)
    addWide(columns, full, { ...block, mask: others }, false, retract)
    return held
  }

  /** Which rows of a mask the lanes can hold. */
  const fitting = (columns: readonly Column[], mask: number, count: number): number => {
    const { spans } = lanes.layout as MomentLayout
    return columns.reduce(
      (held, { doubles }, i) => bothValid(k, held, fittingOf(doubles(), count, spans[i]).bits, count),
      mask,
    )
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
    retracts ||= retract
    if (retract && lanes.layout?.form === 'packed') setLayout(lanes.layout.spans.map((_, i) => known(i) as MomentSpan))
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
        if (!onlyWide) addRows(load(rows, held), held, retract, true)
      }
      from += some.count
      memory.reset(mark)
    }
    memory.reset(start)
  }

  return {
    get kernel() {
      return `${kinds.join(' ')} ${sums.kernel}`
    },
    resize(count) {
      groupCount = count
      sums.resize(count)
    },
    update: rows => apply(rows, false),
    retract: rows => apply(rows, true),
    write: sums.write,
    merge: sums.merge,
    evaluate: sums.evaluate,
    free: sums.free,
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
