/**
 * Where a group's sums of values, squares and products lie in its lanes, and for how many rows these are certain not to overflow. Drawn in
 * assembly/aggregate/moments.ts; the lanes themselves are moment-lanes.ts's.
 */

/** The sums that moments are made of: of columns a and b, their squares, and their product. */
export const A = 0
export const B = 1
export const AA = 2
export const BB = 3
export const AB = 4

/** What the values of a column span: multiples of 2^low, below 2^top in magnitude. */
export interface MomentSpan {
  readonly low: number
  readonly top: number
  /** Whether any may be. */
  readonly negative: boolean
  /** Integers stay as they are: their low is 0. */
  readonly integer: boolean
}

/** `width` bits of a lane from `offset` on, times 2^exponent, are part of a sum. All 64 have a sign. */
export interface MomentField {
  readonly sum: number
  readonly lane: number
  readonly offset: number
  readonly width: number
  readonly exponent: number
}

export interface MomentLayout {
  readonly form: 'packed' | 'narrow' | 'bins'
  /** What it holds, a column each. */
  readonly spans: readonly MomentSpan[]
  readonly slots: number
  readonly fields: readonly MomentField[]
  /** So many rows may be added to empty lanes, all to one group. */
  readonly rows: number
}

/** With 22 bits, 2^18 rows fit a lane of squares. */
const NARROW_BITS = 22
/** Bits of a value that bins hold: two limbs of 46, a product four; 2^15 rows then fit. Of up to 80 bits, 2^21 rows do. */
const BINS_BITS = 92
const SPARE_BINS_BITS = 80
/** A product's lowest bit must be a double's, and neither its split nor its rounding constants overflow. */
const BINS_LOW = -537
const BINS_TOP = 480
/** Fewer rows would be moved out of packed lanes too often. */
const LEAST_PACKED_ROWS = 2 ** 14
/** Room for bits below and above those seen: later rows then seldom change the layout. */
const SPARE_BITS = 12
const SPARE_BITS_ABOVE = 2

/** The cheapest layout for columns of such values, or null where there is none. `packable`: rows are only added, never taken back. */
export function chooseLayout(spans: readonly MomentSpan[], packable: boolean): MomentLayout | null {
  if (spans.every(({ low, top }) => top - low <= NARROW_BITS && low >= BINS_LOW && top <= BINS_TOP)) {
    return (packable && packed(spans)) || narrow(spans.map(span => spread(span, NARROW_BITS)))
  }
  const room = spans.map(span => spread(span, SPARE_BINS_BITS))
  return room.every((span, i) => holdsSpan(clip(span), spans[i])) ? bins(room.map(clip)) : null
}

/** The forms in the order of their numbers in states between lanes. */
const FORMS = ['packed', 'narrow', 'bins'] as const

export const formNumber = ({ form }: MomentLayout): number => FORMS.indexOf(form)

/** The layout of that form for spans, as they are. */
export const layoutOf = (form: number, spans: readonly MomentSpan[]): MomentLayout =>
  [packed, narrow, bins][form](spans) as MomentLayout

/** The part of a span that bins can hold, from its top down. */
export function clip({ low, top, integer }: MomentSpan): MomentSpan {
  const to = Math.max(Math.min(top, BINS_TOP), BINS_LOW + 1)
  return { low: Math.min(Math.max(low, to - BINS_BITS, BINS_LOW), to - 1), top: to, negative: true, integer }
}

/** The part of a span that bins can hold, from its low bits up. */
export const clipAbove = (span: MomentSpan): MomentSpan =>
  clip({ ...span, top: Math.min(span.top, Math.max(span.low, BINS_LOW) + BINS_BITS) })

export const holdsSpan = (holder: MomentSpan, { low, top, negative }: MomentSpan): boolean =>
  low >= holder.low && top <= holder.top && (holder.negative || !negative)

export const joinSpans = (a: MomentSpan | null, b: MomentSpan | null): MomentSpan | null =>
  a === null || b === null
    ? (a ?? b)
    : {
        low: Math.min(a.low, b.low),
        top: Math.max(a.top, b.top),
        negative: a.negative || b.negative,
        integer: a.integer,
      }

/** Bits of the lower of two limbs of a value. */
export const limbBits = ({ low, top }: MomentSpan): number => Math.max(8, (top - low + 1) >> 1)

function bins(spans: readonly MomentSpan[]): MomentLayout {
  const widths = spans.map(limbBits)
  const fields: MomentField[] = []
  const limbs = (sum: number, count: number, exponent: number, width: number) => {
    for (let i = 0; i < count; i++)
      fields.push({ sum, lane: fields.length, offset: 0, width: 64, exponent: exponent + i * width })
  }
  for (const [i, { low }] of spans.entries()) {
    limbs(A + i, 2, low, widths[i])
    limbs(AA + i, 4, 2 * low, widths[i])
  }
  if (spans.length === 2) limbs(AB, 4, spans[0].low + spans[1].low, (widths[0] + widths[1] + 1) >> 1)
  return { form: 'bins', spans, slots: fields.length / 2, fields, rows: 2 ** (61 - Math.max(...widths)) }
}

function narrow(spans: readonly MomentSpan[]): MomentLayout {
  const [a, b = a] = spans
  const sums = spans.length === 1 ? [A, AA] : [A, B, AA, BB, AB]
  const exponents = [a.low, b.low, 2 * a.low, 2 * b.low, a.low + b.low]
  const fields = sums.map((sum, lane) => ({ sum, lane, offset: 0, width: 64, exponent: exponents[sum] }))
  const bits = Math.max(a.top - a.low, b.top - b.low)
  return { form: 'narrow', spans, slots: (fields.length + 1) >> 1, fields, rows: 2 ** (62 - 2 * bits) }
}

/** What a row adds to a field must not cross a word of 32 bits, nor what rows add the field. */
function packed(spans: readonly MomentSpan[]): MomentLayout | null {
  const [a, b] = spans
  if (b === undefined || a.negative || b.negative) return null
  const [x, y] = [a.top - a.low, b.top - b.low]
  const rowBits = Math.floor((64 - 3 * x - y) / 3)
  const [shiftB, shiftAA] = [x + rowBits, x + y + 2 * rowBits]
  const rows = 2 ** Math.min(rowBits, 32 - x - y, 32 - 2 * y)
  if (rows < LEAST_PACKED_ROWS || shiftB + y > 32 || shiftAA < 32) return null
  const fields = [
    { sum: A, lane: 0, offset: 0, width: shiftB, exponent: a.low },
    { sum: B, lane: 0, offset: shiftB, width: shiftAA - shiftB, exponent: b.low },
    { sum: AA, lane: 0, offset: shiftAA, width: 64 - shiftAA, exponent: 2 * a.low },
    { sum: BB, lane: 1, offset: 0, width: 32, exponent: 2 * b.low },
    { sum: AB, lane: 1, offset: 32, width: 32, exponent: a.low + b.low },
  ]
  return { form: 'packed', spans, slots: 1, fields, rows }
}

/** Some bits more than a span has, `most` altogether. */
function spread({ low, top, integer }: MomentSpan, most: number): MomentSpan {
  const spare = Math.max(0, Math.min(SPARE_BITS, most - (top - low)))
  const above = Math.min(SPARE_BITS_ABOVE, spare >> 1)
  return { low: integer ? low : low - (spare - above), top: top + above, negative: true, integer }
}
