/**
 * What a file of NDJSON or JSON is, told by a sample of its beginning: where its records are, their columns, types. Plain code in the calling
 * thread; the records themselves are read in the lanes.
 */
import { fieldsOf } from '../../columnar/schema.js'
import { type DataType, leafType, type SchemaShape, typeName } from '../../columnar/type.js'
import { decodeUtf8 } from '../../columnar/utf8.js'
import { MillraceError, quote } from '../../errors.js'
import { createReport, type InferenceReport, type InferredColumn } from '../inference-report.js'
import { fault, incomplete, locateRecords } from './locate.js'
import { type JsonFault, type JsonNode, parseJson, skipSpace } from './parse.js'
import { createPlaces, type Places, typeOfPlace } from './places.js'

export interface JsonInferOptions {
  /** Columns that are wanted, with their types, by name: that of a value in an object is its keys, joined by dots. */
  readonly schema?: SchemaShape | null
  /** Where the array of records is in a document: keys from its top, joined by dots. */
  readonly path?: string
  /** `auto` where not given: an array where the file begins with one, or where there is a path; otherwise a record a line. */
  readonly layout?: 'lines' | 'array' | 'auto'
  /** Whether objects in records become columns of what is in them (true where not given) or JSON text. */
  readonly flatten?: boolean
  /** At most so many records are looked at. */
  readonly sampleRows?: number
}

export interface JsonInference {
  /** The columns, in order of first appearance; with a schema those that it names. */
  readonly fields: readonly string[]
  /** Of each the keys that lead to it. */
  readonly paths: readonly (readonly string[])[]
  /** As declared, or inferred and nullable. */
  readonly types: readonly DataType[]
  readonly layout: 'lines' | 'array'
  /** The byte at which the records begin: of an array behind its bracket. */
  readonly dataOffset: number
  readonly report: InferenceReport
}

/**
 * @param sample the beginning of the file in UTF-8, with or without a byte order mark. A record that its end may have cut is not looked at.
 * @param isWhole whether the file ends where the sample does.
 * @throws MillraceError `MR_FORMAT_ERROR` with the offset of the first fault where no record is good (with `details.incomplete` where the first
 * ends behind the sample), or where the records are elsewhere; `MR_DUPLICATE_COLUMN` for two places of one name, `MR_TYPE_MISMATCH` for a declared
 * type that JSON does not carry.
 */
export function inferJson(sample: Uint8Array, isWhole: boolean, options: JsonInferOptions): JsonInference {
  const { schema = null, path, layout: asked = 'auto', flatten = true, sampleRows = Infinity } = options
  checkJsonOptions(options)
  const { layout, dataOffset } = locateRecords(sample, isWhole, path, asked)

  const places = createPlaces(flatten)
  const textOf = ({ start, end }: JsonNode) => decodeUtf8(sample, start, Math.min(start + 200, end))
  let looked = 0
  let firstFault: JsonFault | null = null
  for (const { record, row, wrong } of (layout === 'lines' ? recordsOfLines : recordsOfArray)(
    sample,
    dataOffset,
    isWhole,
  )) {
    firstFault ??= wrong
    if (record === null) continue
    places.see(record, row, textOf)
    if (++looked >= sampleRows) break
  }
  if (looked === 0 && schema === null) {
    if (firstFault !== null) throw fault(firstFault.message, firstFault.byteOffset, adviceFor(layout))
    if (!isWhole) throw incomplete(sample.length)
  }

  const found = schema === null ? inferredColumns(places) : declaredColumns(places, schema, flatten)
  const columns: InferredColumn[] = found.map(({ name, type, values, reason }) => ({
    name,
    type: typeName(type),
    values,
    nulls: looked - values,
    reason,
  }))
  return {
    fields: found.map(({ name }) => name),
    paths: found.map(({ path }) => path),
    types: found.map(({ type }) => type),
    layout,
    dataOffset,
    report: createReport({ columns, rows: looked, bytes: sample.length, layout }),
  }
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for a declared type that JSON does not carry. */
export function checkJsonOptions({ schema }: Pick<JsonInferOptions, 'schema'>): void {
  for (const { name, type } of fieldsOf(schema ?? {})) {
    const isNested = type.kind === 'list' ? type.item?.kind === 'list' : type.kind === 'struct'
    if (!isNested && leafType(type).kind !== 'struct') continue
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `json: column ${quote(name)} is declared ${typeName(type)}; name what is in an object by its keys ('a.b'), or declare utf8() for its JSON text`,
      { operator: 'json', column: name },
    )
  }
}

interface Column {
  readonly name: string
  readonly path: readonly string[]
  readonly type: DataType
  readonly values: number
  readonly reason: string
}

function inferredColumns(places: Places): Column[] {
  const byName = new Map<string, Column>()
  for (const place of places.columns()) {
    const name = place.path.join('.')
    const before = byName.get(name)
    if (before !== undefined) throw ambiguous(name, [before.path, place.path])
    byName.set(name, { name, path: place.path, values: place.values, ...typeOfPlace(place) })
  }
  return [...byName.values()]
}

function declaredColumns(places: Places, schema: SchemaShape, flatten: boolean): Column[] {
  return fieldsOf(schema).map(({ name, type }) => {
    const found = places.named(name)
    if (found.length > 1)
      throw ambiguous(
        name,
        found.map(({ path }) => path),
      )
    if (found.length === 1) return { name, path: found[0].path, type, values: found[0].values, reason: 'declared' }
    return { name, path: flatten ? name.split('.') : [name], type, values: 0, reason: 'declared; not in the sample' }
  })
}

function ambiguous(name: string, paths: readonly (readonly string[])[]): MillraceError {
  const ways = paths.map(path => path.map(quote).join(' in which is ')).join(', and ')
  return new MillraceError(
    'MR_DUPLICATE_COLUMN',
    `json: several places would be column ${quote(name)}: ${ways}; read with flatten: false, which leaves objects as JSON text`,
    { operator: 'json', column: name },
  )
}

interface Record_ {
  /** Null where it is faulty. */
  readonly record: JsonNode | null
  readonly row: number
  readonly wrong: JsonFault | null
}

function* recordsOfLines(sample: Uint8Array, from: number, isWhole: boolean): Generator<Record_, void, undefined> {
  let row = 0
  for (let at = from; at < sample.length; ) {
    const lineBreak = sample.indexOf(10, at)
    if (lineBreak < 0 && !isWhole) return
    const end = lineBreak < 0 ? sample.length : lineBreak
    at = skipSpace(sample, at, end)
    if (at < end) yield { row: row++, ...recordOf(sample, at, end) }
    at = end + 1
  }
}

function recordOf(sample: Uint8Array, at: number, end: number): Omit<Record_, 'row'> {
  const parsed = parseJson(sample, at, end)
  if (parsed.fault !== null) return { record: null, wrong: parsed.fault }
  if (parsed.isCut) return { record: null, wrong: { message: 'a line ends before its record does', byteOffset: end } }
  const behind = skipSpace(sample, parsed.end, end)
  if (behind < end)
    return { record: null, wrong: { message: 'a record has something behind its end', byteOffset: behind } }
  return ifObject(parsed.root as JsonNode)
}

function* recordsOfArray(sample: Uint8Array, from: number, isWhole: boolean): Generator<Record_, void, undefined> {
  const end = sample.length
  let at = skipSpace(sample, from, end)
  if (sample[at] === CLOSE_ARRAY) return
  for (let row = 0; ; row++) {
    const parsed = parseJson(sample, at, end)
    if (parsed.isCut) {
      const wrong = isWhole ? { message: 'the file ends within the array of records', byteOffset: end } : null
      if (wrong !== null) yield { record: null, row, wrong }
      return
    }
    if (parsed.fault !== null) return yield { record: null, row, wrong: parsed.fault }
    yield { row, ...ifObject(parsed.root as JsonNode) }
    at = skipSpace(sample, parsed.end, end)
    if (at >= end || sample[at] !== COMMA) return
    at++
  }
}

const ifObject = (node: JsonNode): Omit<Record_, 'row'> =>
  node.kind === 'object'
    ? { record: node, wrong: null }
    : {
        record: null,
        wrong: {
          message: `a record is an object, not ${node.kind === 'array' ? 'an array' : `a ${node.kind}`}`,
          byteOffset: node.start,
        },
      }

const adviceFor = (layout: 'lines' | 'array'): string =>
  layout === 'lines'
    ? 'no line of the sample is a record: an object, whole, on one line'
    : 'no record before it is good'

const COMMA = 0x2c
const CLOSE_ARRAY = 0x5d
