/**
 * What a CSV file is, told by a sample of its beginning: delimiter, names, types. Plain code in the calling thread; the rows themselves are read in
 * the lanes, by the same rules.
 */
import { fieldsOf } from '../../columnar/schema.js'
import { type DataType, nullable, type SchemaShape, typeName, utf8 } from '../../columnar/type.js'
import { MillraceError, quote as quoted, unknownColumn } from '../../errors.js'
import { createReport, type InferenceReport, type InferredColumn } from '../inference-report.js'
import { createTypeScan } from '../inferred-type.js'
import { sortOfField } from '../value-sort.js'
import { checkCsvOptions } from './check-options.js'
import { CR, type Dialect, fieldText, rowsOf, type SampleRow } from './sample-rows.js'
import { sniffDelimiter } from './sniff.js'

export interface CsvInferOptions {
  /** One ASCII character; looked for among `,` `;` tab and `|` where it is not given. */
  readonly delimiter?: string
  /** One ASCII character, `"` where not given; null where nothing is quoted. */
  readonly quote?: string | null
  /** Lines that begin with this ASCII character are left out. */
  readonly comment?: string | null
  /** Whether the first row names the columns (true where not given); names, where it does not and they are known. */
  readonly header?: boolean | readonly string[]
  /** Unquoted fields that are null; `['']` where not given. */
  readonly nulls?: readonly string[]
  /** Lines at the top of the file to leave out, whatever is in them. */
  readonly skipRows?: number
  /** Columns that are wanted, with their types: by name where there are names, by position where there are none. */
  readonly schema?: SchemaShape | null
  /** At most so many rows are looked at. */
  readonly sampleRows?: number
  /** Whether rows with other than the header's number of fields will be read, and so count. */
  readonly ragged?: 'error' | 'pad'
}

export interface CsvInference {
  /** All columns of the file, in order. */
  readonly fields: readonly string[]
  /** As declared, or inferred and nullable; columns that a schema does not name are nullable(utf8). */
  readonly types: readonly DataType[]
  readonly delimiter: string
  readonly quote: string | null
  readonly comment: string | null
  readonly nulls: readonly string[]
  /** The byte at which the first row of data begins. */
  readonly dataOffset: number
  readonly report: InferenceReport
}

/**
 * @param sample the beginning of the file in UTF-8, with or without a byte order mark. A row that its end may have cut is not looked at.
 * @param isWhole whether the file ends where the sample does.
 * @throws MillraceError `MR_DUPLICATE_COLUMN` for two names that are equal, `MR_UNKNOWN_COLUMN` for a column of the schema that the file lacks,
 * `MR_TYPE_MISMATCH` for a type that CSV does not carry, `MR_INVALID_OPTION`, and `MR_FORMAT_ERROR` with `details.incomplete` where the header
 * ends behind the sample.
 */
export function inferCsv(sample: Uint8Array, isWhole: boolean, options: CsvInferOptions): CsvInference {
  const { quote = '"', comment = null, header = true, nulls = [''], schema = null, sampleRows = Infinity } = options
  const given = typeof header === 'boolean' ? null : header
  const declared = schema === null ? [] : fieldsOf(schema)
  checkCsvOptions(options)

  const begin = skipLines(sample, options.skipRows ?? 0, isWhole)
  const marks = { quote: byteOf(quote), comment: byteOf(comment) }
  const delimiter =
    options.delimiter ??
    sniffDelimiter(sample, begin, isWhole, marks, {
      hasHeader: header === true,
      names: header === true ? declared.map(({ name }) => name) : [],
      count: given?.length ?? null,
    })
  const dialect: Dialect = { ...marks, delimiter: byteOf(delimiter) }

  // A name that is empty is one that is lacking, unless it is asked for.
  const isName = (name: string) => name !== '' || declared.some(field => field.name === '')
  const head = header === true ? readHeader(sample, begin, isWhole, dialect, isName) : { names: [], dataOffset: begin }
  const { dataOffset } = head
  const fields =
    given !== null
      ? given
      : header === true
        ? head.names.length === 0
          ? declared.map(({ name }) => name)
          : head.names
        : byPosition(
            declared.map(({ name }) => name),
            commonWidth(sample, dataOffset, isWhole, dialect),
          )
  refuseDuplicates(fields, begin, header)
  const known = new Set(fields)
  for (const { name } of declared) {
    if (!known.has(name)) throw unknownColumn(name, fields, 'csv')
  }

  const scans = fields.map(() => createTypeScan(false))
  const empty = fields.map(() => 0)
  // Null tokens with spaces around them: text in a column of text, null in others.
  const padded = fields.map(() => 0)
  const isNull = new Set(nulls)
  let rows = 0
  let looked = 0
  for (const row of rowsOf(sample, dataOffset, isWhole, dialect)) {
    if (looked >= sampleRows) break
    if (row.isBlank && fields.length > 1) continue
    const place = rows++
    const width = row.quoted.length
    if (row.isBad || (width !== fields.length && options.ragged !== 'pad')) continue
    looked++
    for (let i = 0; i < fields.length; i++) {
      const text = i < width ? fieldText(sample, row, i, dialect.quote) : ''
      if (i >= width || (!row.quoted[i] && isNull.has(text))) {
        empty[i]++
        continue
      }
      const bare = trimSpaces(text)
      const sort = sortOfField(bare)
      if (!row.quoted[i] && isNull.has(bare)) padded[i]++
      else if (sort === 'text' || (sort === 'token' && row.quoted[i])) scans[i].see('text', text, place)
      else scans[i].see(sort, bare, place)
    }
  }

  const types: DataType[] = []
  const columns: InferredColumn[] = fields.map((name, i) => {
    const type = schema !== null && Object.hasOwn(schema, name) ? schema[name] : null
    const found =
      schema === null
        ? scans[i].decide()
        : { type: type ?? nullable(utf8()), reason: type === null ? 'left out' : 'declared' }
    types.push(found.type)
    const [asText, asNull] = found.type.kind === 'utf8' ? [padded[i], 0] : [0, padded[i]]
    return {
      name,
      type: typeName(found.type),
      values: scans[i].values + asText,
      nulls: empty[i] + asNull,
      reason: found.reason,
    }
  })
  const report = createReport({ columns, rows: looked, bytes: sample.length, delimiter, header: header === true })
  return { fields, types, delimiter, quote, comment, nulls, dataOffset, report }
}

/** Behind the byte order mark and the lines to skip. */
function skipLines(sample: Uint8Array, lines: number, isWhole: boolean): number {
  let at = sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf ? 3 : 0
  for (let n = 0; n < lines; n++) {
    const end = sample.indexOf(10, at)
    if (end < 0 && !isWhole) throw incomplete(`the ${lines} lines to skip do not end`, sample.length)
    at = end < 0 ? sample.length : end + 1
  }
  return at
}

/** No names where the file has no rows at all. */
function readHeader(
  sample: Uint8Array,
  from: number,
  isWhole: boolean,
  dialect: Dialect,
  isName: (text: string) => boolean,
): { names: string[]; dataOffset: number } {
  for (const row of rowsOf(sample, from, isWhole, dialect)) {
    if (row.isBlank) continue
    if (row.isBad) {
      throw new MillraceError(
        'MR_FORMAT_ERROR',
        `csv: the header has a quote that is not closed, or text behind one that is; is the quote another character, or are there lines above it to skip (skipRows)?`,
        { operator: 'csv', byteOffset: row.start },
      )
    }
    refuseLineEnds(sample, row)
    const texts = row.quoted.map((_, i) => fieldText(sample, row, i, dialect.quote))
    return { names: texts.map((text, i) => (isName(text) ? text : `column${i}`)), dataOffset: row.end }
  }
  if (!isWhole) throw incomplete('the header does not end', sample.length)
  return { names: [], dataOffset: sample.length }
}

/** Where lines end in carriage returns alone, the whole file would be the header, and the answer no rows. */
function refuseLineEnds(sample: Uint8Array, { quoted, bounds }: SampleRow): void {
  for (const [i, isQuoted] of quoted.entries()) {
    const at = isQuoted ? -1 : sample.subarray(0, bounds[2 * i + 1]).indexOf(CR, bounds[2 * i])
    if (at < 0) continue
    throw new MillraceError(
      'MR_FORMAT_ERROR',
      'csv: the header has a carriage return that no line feed follows; lines end in line feeds, so write the file with these, or quote the name',
      { operator: 'csv', byteOffset: at },
    )
  }
}

/** The number of fields that most rows have, the first of equals. */
function commonWidth(sample: Uint8Array, from: number, isWhole: boolean, dialect: Dialect): number {
  const counts = new Map<number, number>()
  let rows = 0
  for (const { isBlank, isBad, quoted } of rowsOf(sample, from, isWhole, dialect)) {
    if (isBlank || isBad) continue
    counts.set(quoted.length, (counts.get(quoted.length) ?? 0) + 1)
    if (++rows === 1000) break
  }
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most), [0, 0])[0]
}

const byPosition = (names: readonly string[], width: number): string[] =>
  Array.from({ length: Math.max(names.length, width) }, (_, i) => names[i] ?? `column${i}`)

function refuseDuplicates(names: readonly string[], byteOffset: number, header: boolean | readonly string[]): void {
  const seen = new Map<string, number>()
  for (const [i, name] of names.entries()) {
    const before = seen.get(name)
    if (before !== undefined) {
      const advice =
        header === true ? "give other names by header: [...], and skip the file's by skipRows" : 'rename one of them'
      throw new MillraceError(
        'MR_DUPLICATE_COLUMN',
        `csv: columns ${before} and ${i} are both called ${quoted(name)}; ${advice}`,
        { operator: 'csv', column: name, ...(header === true ? { byteOffset } : {}) },
      )
    }
    seen.set(name, i)
  }
}

const incomplete = (what: string, length: number): MillraceError =>
  new MillraceError('MR_FORMAT_ERROR', `csv: ${what} within the first ${length} bytes, all that was looked at`, {
    operator: 'csv',
    byteOffset: length,
    incomplete: true,
  })

const byteOf = (character: string | null): number => (character === null ? -1 : character.charCodeAt(0))

function trimSpaces(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isSpace = (code: number): boolean => code === 32 || code === 9
