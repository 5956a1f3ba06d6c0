/** Where rows end in text that comes piece by piece: what is sent to lanes is whole rows. The rules for quotes are those of kernels/csv.ts. */
import type { CsvShape } from '../../kernels/text-rows.js'

const NEWLINE = 10

/**
 * A function that is given what has not been cut off yet, always from where the last cut was, and says how many of its bytes are whole rows.
 * @param shape null: a row a line, whatever is in it.
 */
export function createRowCutter(
  shape: Pick<CsvShape, 'delimiter' | 'quote' | 'comment'> | null,
): (bytes: Uint8Array) => number {
  const quote = shape?.quote?.charCodeAt(0)
  const delimiter = shape?.delimiter.charCodeAt(0)
  const comment = shape?.comment?.charCodeAt(0) ?? -1
  /** Up to where the bytes have been looked at, and whether that is within quotes: of a row that comes in many pieces none is looked at twice. */
  let seen = 0
  let isQuoted = false

  /** @param row where the row begins */
  const opens = (bytes: Uint8Array, at: number, row: number): boolean =>
    (at === row || bytes[at - 1] === delimiter) && bytes[row] !== comment

  return bytes => {
    let end = 0
    while (seen < bytes.length) {
      const at = quote === undefined ? -1 : bytes.indexOf(quote, seen)
      const until = at < 0 ? bytes.length : at
      if (!isQuoted) {
        let last = until - 1
        while (last >= seen && bytes[last] !== NEWLINE) last--
        if (last >= seen) end = last + 1
      }
      seen = until
      if (at < 0) break
      if (!isQuoted) isQuoted = opens(bytes, at, end)
      else if (bytes[at + 1] === quote) seen++
      // The last byte may be half of a doubled quote: it is looked at again.
      else if (at + 1 === bytes.length) break
      else isQuoted = false
      seen++
    }
    seen -= end
    return end
  }
}
