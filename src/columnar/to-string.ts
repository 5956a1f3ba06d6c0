/**
 * Batches and tables as text for people: names, types, the first and the last rows. It reads vectors itself, since it
 * must show what `Column` refuses (an int64 that no number holds) and must never throw.
 */

import { quote } from '../errors.js'
import { dayText } from './day.js'
import type { Dictionary } from './dictionary.js'
import { instantText } from './instant.js'
import { fieldsOf } from './schema.js'
import { isNumber, type SchemaShape, type TimeUnit, typeName } from './type.js'
import { decodeUtf8 } from './utf8.js'
import { getBit } from './validity.js'
import { isNullAt, type Vector } from './vector.js'

/** A table of up to so many rows is shown whole, of a longer one so many from its beginning and as many from its end. */
const WHOLE_ROWS = 30
const END_ROWS = 10
const SHOWN_COLUMNS = 20
/** Longer names and values are shortened in the middle. */
const CELL_WIDTH = 40
/** Of a list so many characters of items are shown, at least one item, and how many more there are. */
const LIST_WIDTH = 20

/** A batch as this file needs it, so that record-batch.ts may import this file. */
interface Rows {
  readonly rowCount: number
  readonly vectors: readonly Vector[]
  readonly weights: Int32Array | null
}

/**
 * ```
 * symbol     high  volume
 * utf8    float64   int64
 * ------  -------  ------
 * ACME     101.25    1200
 * null        NaN     -17
 * 2 rows × 3 columns
 * ```
 */
export function formatTable(schema: SchemaShape, batches: readonly Rows[]): string {
  const fields = fieldsOf(schema)
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  const shown = fields.slice(0, SHOWN_COLUMNS)
  const rows = shownRows(rowCount).map(row => (row === null ? null : locate(batches, row)))

  const columns = shown.map(({ name, type }, f) => ({
    alignRight: isNumber(type.kind),
    cells: [
      shorten(name),
      shorten(typeName(type)),
      null,
      ...rows.map(place => (place === null ? '…' : shorten(valueText(place.batch.vectors[f], place.row)))),
    ],
  }))
  if (batches.some(batch => batch.weights !== null)) {
    const weightOf = (batch: Rows, row: number) => batch.weights?.[row] ?? 1
    const cells = rows.map(place => (place === null ? '…' : signed(weightOf(place.batch, place.row))))
    columns.unshift({ alignRight: true, cells: ['weight', '', null, ...cells] })
  }

  const lines = columns.length === 0 ? [] : layOut(columns)
  const hidden = fields.length - shown.length
  const more =
    hidden === 0
      ? ''
      : ` (${hidden} not shown: ${fields
          .slice(SHOWN_COLUMNS, SHOWN_COLUMNS + 5)
          .map(field => shorten(field.name))
          .join(', ')}${hidden > 5 ? ', …' : ''})`
  return [...lines, `${counted(rowCount, 'row')} × ${counted(fields.length, 'column')}${more}`].join('\n')
}

/** Cells, column by column, as lines of text; null stands for the rule under the header. */
export function layOut(columns: readonly { alignRight: boolean; cells: readonly (string | null)[] }[]): string[] {
  const widths = columns.map(({ cells }) => Math.max(...cells.map(cell => width(cell ?? ''))))
  return columns[0].cells.map((_, line) =>
    columns
      .map(({ alignRight, cells }, c) => {
        const cell = cells[line]
        if (cell === null) return '-'.repeat(widths[c])
        const padding = ' '.repeat(widths[c] - width(cell))
        return alignRight ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd(),
  )
}

/** Row numbers in order, with null where some are left out. */
function shownRows(rowCount: number): (number | null)[] {
  if (rowCount <= WHOLE_ROWS) return Array.from({ length: rowCount }, (_, row) => row)
  const head = Array.from({ length: END_ROWS }, (_, row) => row)
  return [...head, null, ...head.map(row => rowCount - END_ROWS + row)]
}

function locate(batches: readonly Rows[], row: number): { batch: Rows; row: number } {
  let b = 0
  while (row >= batches[b].rowCount) row -= batches[b++].rowCount
  return { batch: batches[b], row }
}

/** A value as text, exact: int64 in full, timestamps in ISO 8601 with all digits of their unit. */
function valueText(vector: Vector, i: number): string {
  if (isNullAt(vector, i)) return 'null'
  const { data, dictionary, offsets } = vector
  switch (vector.type.kind) {
    case 'bool':
      return String(getBit(data as Uint8Array, i))
    case 'date':
      return dayText(data[i] as number)
    case 'timestamp':
      return instantText(data[i] as bigint, vector.type.unit as TimeUnit)
    case 'utf8':
      return offsets === null
        ? (dictionary as Dictionary).get(data[i] as number)
        : decodeUtf8(data as Uint8Array, offsets[i], offsets[i + 1])
    case 'list':
      return listText(vector.child as Vector, (offsets as Int32Array)[i], (offsets as Int32Array)[i + 1])
    default:
      return Object.is(data[i], -0) ? '-0' : String(data[i])
  }
}

/** `[1, 2, null]`, `["a", "b"]`, `[[1], [], … 7 more]` */
function listText(items: Vector, from: number, to: number): string {
  const isText = items.type.kind === 'utf8'
  let text = ''
  for (let i = from; i < to; i++) {
    const value = valueText(items, i)
    const item = isText && !isNullAt(items, i) ? quote(value) : value
    if (text.length + item.length > LIST_WIDTH && i > from) return `[${text}, … ${to - i} more]`
    text += i === from ? item : `, ${item}`
  }
  return `[${text}]`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Surrogate}\p{Bidi_Control}]/gu

/** On one line, without control characters, and at most CELL_WIDTH characters. */
export function shorten(text: string): string {
  // Cut first: a name may be a megabyte long. Two units make at most one character.
  const units = CELL_WIDTH * 2
  const ends = text.length <= 2 * units ? text : text.slice(0, units) + text.slice(-units)
  const characters = [...ends.replace(UNPRINTABLE, escaped)]
  if (characters.length <= CELL_WIDTH) return characters.join('')
  const tail = 10
  return `${characters.slice(0, CELL_WIDTH - tail - 1).join('')}…${characters.slice(-tail).join('')}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const escaped = (character: string): string =>
  ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const width = (text: string): number => [...text].length
const signed = (weight: number): string => (weight > 0 ? `+${weight}` : String(weight))
const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
