/**
 * Batches as NDJSON, a record a line, or as one JSON array of records. A chunk loaded for the first sink that writes JSON; what a value looks like
 * is cells.ts's.
 */
import { fieldsOf } from '../../columnar/schema.js'
import type { SchemaShape } from '../../columnar/type.js'
import type { VectorBatch } from '../../columnar/vector.js'
import { MillraceError, quote } from '../../errors.js'
import type { BatchEncoder } from '../batch-encoder.js'
import { CELL_BYTES, createTextOutput, isPiece, putBytes, room, type TextOutput, take } from '../text-output.js'
import { jsonCell } from './cells.js'

export interface JsonWriteOptions {
  /** Columns of names such as `place.city` as objects within objects: `{"place":{"city":...}}`. Otherwise names are written as they are. */
  readonly nest?: boolean
  /** What becomes of a NaN or an infinity, for which JSON has no word; by default it is refused. */
  readonly nonFinite?: 'error' | 'null'
}

/** What stands around records. */
interface Frame {
  readonly open: Uint8Array
  readonly between: Uint8Array
  readonly after: Uint8Array
  readonly close: Uint8Array
  /** All there is where there are no records. */
  readonly empty: Uint8Array
}

const utf8 = (text: string) => new TextEncoder().encode(text)
const frame = (open: string, between: string, after: string, close: string, empty: string): Frame => ({
  open: utf8(open),
  between: utf8(between),
  after: utf8(after),
  close: utf8(close),
  empty: utf8(empty),
})
const FRAMES = {
  lines: () => frame('', '', '\n', '', ''),
  /** Of records on a line each. */
  array: () => frame('[\n', ',\n', '', '\n]\n', '[]\n'),
  /** On one line. */
  line: () => frame('[', ',', '', ']', '[]'),
}

/**
 * @param firstRow the number of the first row, for messages
 * @throws MillraceError `MR_INVALID_OPTION`; `MR_DUPLICATE_COLUMN` where `nest` would give a record a value and an object under one name;
 *   batches `MR_INEXACT_VALUE` for a NaN or an infinity
 */
export function createJsonEncoder(
  schema: SchemaShape,
  options: JsonWriteOptions = {},
  layout: keyof typeof FRAMES = 'lines',
  firstRow = 0,
): BatchEncoder {
  const { nest = false, nonFinite = 'error' } = checked(options)
  const names = fieldsOf(schema).map(({ name }) => name)
  const around = FRAMES[layout]()
  const { columns, before, end } = nest ? nestedRecord(names) : flatRecord(names)
  const literalBytes = before.reduce((sum, { length }) => sum + length, end.length)
  const frameBytes = around.open.length + around.between.length + around.after.length + around.close.length
  const out = createTextOutput(literalBytes + frameBytes + CELL_BYTES * (names.length + 1))
  let rows = 0

  const [start, next] = [around.open, around.between].map(piece => joined(piece, before[0] ?? end))
  const stop = columns.length === 0 ? around.after : joined(end, around.after)

  function* encode({ vectors, rowCount }: VectorBatch): Generator<Uint8Array> {
    const cells = columns.map(c =>
      jsonCell(out, vectors[c], { column: names[c], firstRow: firstRow + rows, nonFinite }),
    )
    for (let i = 0; i < rowCount; i++) {
      room(out, 0)
      put(out, rows + i === 0 ? start : next)
      for (let c = 0; c < cells.length; c++) {
        if (c > 0) put(out, before[c])
        cells[c](i)
      }
      put(out, stop)
      if (isPiece(out)) yield take(out)
    }
    rows += rowCount
  }

  return {
    header: () => [],
    batch: encode,
    *flush() {
      if (out.at > 0) yield take(out)
    },
    *footer() {
      room(out, 0)
      put(out, rows === 0 ? around.empty : around.close)
      if (out.at > 0) yield take(out)
    },
  }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => Uint8Array.from([...a, ...b])

const put = (out: TextOutput, bytes: Uint8Array): void => putBytes(out, bytes, 0, bytes.length)

/** What a record is made of: the columns in the order they are written in, what stands before each, and its end. */
interface RecordForm {
  readonly columns: readonly number[]
  readonly before: readonly Uint8Array[]
  readonly end: Uint8Array
}

function flatRecord(names: readonly string[]): RecordForm {
  return {
    columns: names.map((_, c) => c),
    before: names.map((name, c) => utf8(`${c === 0 ? '{' : ','}${JSON.stringify(name)}:`)),
    end: utf8(names.length === 0 ? '{}' : '}'),
  }
}

type Tree = Map<string, Tree | number>

/** Keys in order of first appearance; the columns of one object come together, wherever they stand among the others. */
function nestedRecord(names: readonly string[]): RecordForm {
  const root: Tree = new Map()
  names.forEach((name, c) => {
    const path = name.split('.')
    const last = path.pop() as string
    let tree = root
    for (const key of path) {
      const next = tree.get(key) ?? new Map()
      if (typeof next === 'number') throw clash(name, names[next])
      tree.set(key, next)
      tree = next
    }
    const there = tree.get(last)
    if (there !== undefined) throw clash(leastName(there, names), name)
    tree.set(last, c)
  })
  const columns: number[] = []
  const before: Uint8Array[] = []
  let text = ''
  const walk = (tree: Tree) => {
    text += '{'
    let first = true
    for (const [key, value] of tree) {
      text += `${first ? '' : ','}${JSON.stringify(key)}:`
      first = false
      if (typeof value === 'number') {
        columns.push(value)
        before.push(utf8(text))
        text = ''
      } else walk(value)
    }
    text += '}'
  }
  walk(root)
  return { columns, before, end: utf8(text) }
}

/** The name of some column in it. */
function leastName(tree: Tree | number, names: readonly string[]): string {
  return typeof tree === 'number' ? names[tree] : leastName(tree.values().next().value as Tree | number, names)
}

const clash = (inner: string, outer: string): MillraceError =>
  new MillraceError(
    'MR_DUPLICATE_COLUMN',
    `column ${quote(inner)} would be nested in ${quote(outer)}, which is a column itself; rename one of them, or leave out nest`,
    { column: inner },
  )

function checked(options: JsonWriteOptions): JsonWriteOptions {
  const { nest, nonFinite, ...others } = options
  const invalid = (what: string) => new MillraceError('MR_INVALID_OPTION', `writing JSON: ${what}`)
  const [other] = Object.keys(others)
  if (other !== undefined) throw invalid(`there is no option ${quote(other)}; there are nest and nonFinite`)
  if (nest !== undefined && typeof nest !== 'boolean') throw invalid(`nest is true or false, not ${String(nest)}`)
  if (nonFinite !== undefined && nonFinite !== 'error' && nonFinite !== 'null')
    throw invalid(`nonFinite is 'error' or 'null', not ${String(nonFinite)}`)
  return options
}
