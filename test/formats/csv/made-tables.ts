/** Files of CSV that a test writes, of which it knows what is in them. */
import fc from 'fast-check'
import { type Known, knownColumn } from '../sorted-values.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)

export interface Written {
  readonly text: string
  readonly names: readonly string[]
  readonly table: readonly (readonly (Known | null)[])[]
  readonly delimiter: string
  readonly headerBytes: number
}

const NAMES = ['id', 'the name', 'größe', 'a"b', 'x;y,z', 'two\nlines']
const SORTS = ['bool', 'integer', 'wide', 'float', 'date', 'time', 'text'] as const

/** Tables of two columns or more, written in one of the ways there are. */
export const written: fc.Arbitrary<Written> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 5 }),
    rows: fc.integer({ min: 0, max: 12 }),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineBreak: fc.constantFrom('\n', '\r\n'),
    bom: fc.boolean(),
    lastBreak: fc.boolean(),
    quoteAll: fc.boolean(),
    noise: fc.constantFrom('', '\n', '#,;"\n', '# 1\n\n'),
  })
  .chain(way =>
    fc.tuple(...way.names.map(() => knownColumn(way.rows, SORTS))).map(table => {
      const { delimiter, lineBreak, bom, lastBreak, quoteAll, noise } = way
      const field = (text: string) =>
        quoteAll || /[",;\t|\n\r#]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
      const line = (cells: readonly (string | null)[]) =>
        cells.map(cell => (cell === null ? '' : field(cell))).join(delimiter)
      const header = (bom ? '\ufeff' : '') + noise + line(way.names) + lineBreak
      const lines = Array.from({ length: way.rows }, (_, row) => line(table.map(column => column[row]?.text ?? null)))
      const body = lines.join(lineBreak + noise)
      const text = header + noise + body + (lastBreak || lines.length === 0 ? lineBreak : '')
      return { text, names: way.names, table, delimiter, headerBytes: bytesOf(header).length }
    }),
  )
