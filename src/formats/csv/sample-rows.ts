/** The rows of a sample of CSV: where their fields lie. Rows of the whole file are the kernels' (kernels/csv.ts), by the same rules. */
import { decodeUtf8 } from '../../columnar/utf8.js'

/** Characters as bytes; -1 for one that there is not. */
export interface Dialect {
  readonly delimiter: number
  readonly quote: number
  readonly comment: number
}

export interface SampleRow {
  /** Of each field the first byte and the one behind the last, without its quotes. */
  readonly bounds: readonly number[]
  readonly quoted: readonly boolean[]
  /** A line with nothing in it. */
  readonly isBlank: boolean
  /** A quote that is not closed, or something between a closing quote and the delimiter. */
  readonly isBad: boolean
  /** Where the row begins, and where the next one does. */
  readonly start: number
  readonly end: number
}

const LF = 10
export const CR = 13

/**
 * Rows from byte `from`; comments are left out, and so is a row that the end of the sample may have cut.
 * @param isWhole whether the file ends where the sample does.
 */
export function* rowsOf(
  bytes: Uint8Array,
  from: number,
  isWhole: boolean,
  { delimiter, quote, comment }: Dialect,
): Generator<SampleRow, void, undefined> {
  const end = bytes.length
  let at = from
  while (at < end) {
    if (bytes[at] === comment) {
      const lineEnd = bytes.indexOf(LF, at)
      if (lineEnd < 0) return
      at = lineEnd + 1
      continue
    }
    const start = at
    const bounds: number[] = []
    const quoted: boolean[] = []
    let isBad = false
    for (;;) {
      const isQuoted = at < end && bytes[at] === quote
      let fieldStart = at
      let fieldEnd = -1
      if (isQuoted) {
        fieldStart = at + 1
        at = closingQuote(bytes, fieldStart, quote)
        fieldEnd = at
        if (at === end) isBad = true
        else at++
      }
      const behind = at
      while (at < end && bytes[at] !== delimiter && bytes[at] !== LF) at++
      const isLast = at === end || bytes[at] === LF
      const textEnd = isLast && at < end && at > behind && bytes[at - 1] === CR ? at - 1 : at
      if (isQuoted) isBad ||= textEnd > behind
      else fieldEnd = textEnd
      bounds.push(fieldStart, fieldEnd)
      quoted.push(isQuoted)
      if (isLast) break
      at++
    }
    if (at === end && !isWhole) return
    if (at < end) at++
    yield {
      bounds,
      quoted,
      isBlank: quoted.length === 1 && !quoted[0] && bounds[0] === bounds[1],
      isBad,
      start,
      end: at,
    }
  }
}

/** The text of field `i`. */
export function fieldText(bytes: Uint8Array, row: SampleRow, i: number, quote: number): string {
  const text = decodeUtf8(bytes, row.bounds[2 * i], row.bounds[2 * i + 1])
  if (!row.quoted[i]) return text
  const mark = String.fromCharCode(quote)
  return text.includes(mark) ? text.replaceAll(mark + mark, mark) : text
}

/** The quote that closes a field whose text begins at `at`; a doubled one is text. The end of the bytes where there is none. */
function closingQuote(bytes: Uint8Array, at: number, quote: number): number {
  for (;;) {
    const next = bytes.indexOf(quote, at)
    if (next < 0) return bytes.length
    if (bytes[next + 1] !== quote) return next
    at = next + 2
  }
}
