/** What the options of CSV may be, as far as it can be told without the file. */
import { type DataType, type SchemaShape, typeName } from '../../columnar/type.js'
import { MillraceError, quote as quoted } from '../../errors.js'

export interface CsvDialectOptions {
  readonly delimiter?: string
  readonly quote?: string | null
  readonly comment?: string | null
  readonly header?: boolean | readonly string[]
  readonly schema?: SchemaShape | null
}

/**
 * @throws MillraceError `MR_INVALID_OPTION` for a delimiter, a quote or a comment that is not one ASCII character, or is another's, and for names
 * whose position cannot be told; `MR_TYPE_MISMATCH` for a type that CSV does not carry.
 */
export function checkCsvOptions({
  delimiter,
  quote = '"',
  comment = null,
  header = true,
  schema,
}: CsvDialectOptions): void {
  const marks = Object.entries({ delimiter: delimiter ?? null, quote, comment })
  for (const [i, [option, mark]] of marks.entries()) {
    if (mark === null) continue
    const code = mark.charCodeAt(0)
    if (mark.length !== 1 || code > 127 || code === 10 || code === 13) {
      throw refusal(`${option} is one ASCII character and no line break, not ${quoted(mark)}`)
    }
    const other = marks.slice(0, i).find(([, before]) => before === mark)
    if (other !== undefined) throw refusal(`${other[0]} and ${option} are both ${quoted(mark)}; they must differ`)
  }
  if (schema === undefined || schema === null) return
  for (const [name, type] of Object.entries(schema)) refuseNested(name, type)
  if (header === false) refuseUnordered(schema)
}

function refuseNested(name: string, type: DataType): void {
  if (type.kind !== 'list' && type.kind !== 'struct') return
  throw new MillraceError(
    'MR_TYPE_MISMATCH',
    `csv: column ${quoted(name)} is declared ${typeName(type)}, and a field of CSV is one value; declare utf8()`,
    { operator: 'csv', column: name },
  )
}

/** JavaScript puts names such as '7' first in every object: where positions count, it must not matter. */
function refuseUnordered(schema: SchemaShape): void {
  const names = Object.keys(schema)
  const moved = names.find(name => /^(?:0|[1-9]\d*)$/.test(name))
  if (moved === undefined || names.every((name, i) => name === String(i))) return
  throw refusal(
    `JavaScript puts the name ${quoted(moved)} before others, so its column cannot be told by its position; give header: [names]`,
    moved,
  )
}

const refusal = (message: string, column?: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `csv: ${message}`, {
    operator: 'csv',
    ...(column === undefined ? {} : { column }),
  })
