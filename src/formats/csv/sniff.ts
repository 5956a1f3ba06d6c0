/** The delimiter of a CSV file, found by looking at the rows that each candidate would make of a sample. */
import { type Dialect, fieldText, rowsOf, type SampleRow } from './sample-rows.js'

const CANDIDATES = [',', ';', '\t', '|']
const COMMA = 44
const MOST_ROWS = 1000

/** What is known of the columns before the file is looked at. */
export interface Expected {
  /** The first row names the columns. */
  readonly hasHeader: boolean
  /** Names that the header must have. */
  readonly names: readonly string[]
  /** How many columns there are; null where that is not known. */
  readonly count: number | null
}

/**
 * The candidate by which the most rows have the same number of fields, more than one, and the header that number too; of equals the
 * one that leaves fewer rows with a quote in a field that is not quoted, then the comma, then the one with the most fields. The comma where no candidate makes more than one column.
 */
export function sniffDelimiter(
  bytes: Uint8Array,
  from: number,
  isWhole: boolean,
  dialect: Omit<Dialect, 'delimiter'>,
  expected: Expected,
): string {
  let best = ','
  let bestScore: readonly number[] = []
  for (const candidate of CANDIDATES) {
    const score = scoreOf(bytes, from, isWhole, { ...dialect, delimiter: candidate.charCodeAt(0) }, expected)
    if (isGreater(score, bestScore)) {
      best = candidate
      bestScore = score
    }
  }
  return best
}

/** What speaks for a delimiter, the most important first; nothing where it makes one column. */
function scoreOf(
  bytes: Uint8Array,
  from: number,
  isWhole: boolean,
  dialect: Dialect,
  { hasHeader, names, count }: Expected,
): readonly number[] {
  const counts = new Map<number, number>()
  let first = 0
  let named = 0
  let clean = 0
  let rows = 0
  for (const row of rowsOf(bytes, from, isWhole, dialect)) {
    if (row.isBlank) continue
    const fields = row.isBad ? 0 : row.quoted.length
    if (rows === 0) {
      first = fields
      const found = new Set(row.quoted.map((_, i) => fieldText(bytes, row, i, dialect.quote)))
      named = names.filter(name => found.has(name)).length
    }
    if (!hasStrayQuote(bytes, row, dialect.quote)) clean++
    counts.set(fields, (counts.get(fields) ?? 0) + 1)
    if (++rows === MOST_ROWS) break
  }
  const [fields, agreeing] = [...counts].reduce((most, next) => (next[1] > most[1] ? next : most), [0, 0])
  if (fields < 2) return []
  const isExpected = count === null ? !hasHeader || first === fields : fields === count
  return [named, isExpected ? 1 : 0, agreeing / rows, clean / rows, dialect.delimiter === COMMA ? Infinity : fields]
}

const hasStrayQuote = (bytes: Uint8Array, { quoted, bounds }: SampleRow, quote: number): boolean =>
  quoted.some((isQuoted, i) => !isQuoted && bytes.subarray(bounds[2 * i], bounds[2 * i + 1]).includes(quote))

function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((value, i) => value !== b[i])
  return i >= 0 && (b.length === 0 || a[i] > b[i])
}
