/** Where the records are in a sample of JSON: one a line, or in an array, at the top of a document or at a path in it. */
import { MillraceError, nearestName, quote } from '../../errors.js'
import { type JsonNode, parseJson, skipSpace } from './parse.js'

export interface Located {
  readonly layout: 'lines' | 'array'
  /** The byte at which the first record begins, or the space before it: of an array that is behind its bracket. */
  readonly dataOffset: number
}

/**
 * @param path keys from the top of the document to the array, joined by dots; none for an array at the top.
 * @throws MillraceError `MR_FORMAT_ERROR` where there is no such array, or one of several things may be meant; with `details.incomplete` where the
 * sample ends before it.
 */
export function locateRecords(
  sample: Uint8Array,
  isWhole: boolean,
  path: string | undefined,
  layout: 'lines' | 'array' | 'auto',
): Located {
  const begin = sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf ? 3 : 0
  if (layout === 'lines') {
    if (path === undefined) return { layout, dataOffset: begin }
    throw new MillraceError('MR_INVALID_OPTION', 'json: records that are one a line are at no path; leave path out', {
      operator: 'json',
    })
  }
  const at = skipSpace(sample, begin, sample.length)
  if (path !== undefined) return { layout: 'array', dataOffset: arrayAt(sample, at, isWhole, path) }
  if (sample[at] === OPEN_ARRAY) return { layout: 'array', dataOffset: at + 1 }
  if (layout === 'array') {
    if (at < sample.length)
      throw fault('the document is no array of records', at, hint(arraysOf(parseJson(sample, at, sample.length).root)))
    if (!isWhole) throw incomplete(sample.length)
    return { layout: 'lines', dataOffset: begin }
  }
  if (sample[at] === OPEN_OBJECT) refuseDocument(sample, at, isWhole)
  return { layout: 'lines', dataOffset: begin }
}

/** The one object of a file may be its one record, or a document with records in it. */
function refuseDocument(sample: Uint8Array, at: number, isWhole: boolean): void {
  const { root, end, fault: wrong, isCut } = parseJson(sample, at, sample.length)
  if (wrong !== null || (isCut && isWhole)) return
  const isOnly = isCut || (isWhole && skipSpace(sample, end, sample.length) === sample.length)
  if (!isOnly) return
  const found = arraysOf(root)
  if (found.length > 0) {
    throw fault(
      'the file is one object, and its records may be in an array in it',
      at,
      `${hint(found)}, or layout: 'lines' where it is a record itself`,
      found,
    )
  }
  if (isCut) throw incomplete(sample.length)
}

/** Behind the bracket of the array at `path` of the document that begins at `at`. */
function arrayAt(sample: Uint8Array, at: number, isWhole: boolean, path: string): number {
  const end = sample.length
  const document = at
  const missing = (what: string, byteOffset: number): MillraceError => {
    const found = arraysOf(parseJson(sample, document, end).root)
    const near = nearestName(path, found)
    return fault(
      `${what} (path: ${quote(path)})`,
      byteOffset,
      near === undefined ? hint(found) : `did you mean path: '${near}'?`,
      found,
    )
  }
  for (const key of path.split('.')) {
    if (at < end && sample[at] !== OPEN_OBJECT) throw missing(`there is no object with a key ${quote(key)}`, at)
    const place = memberAt(sample, at + 1, key)
    if (place === null) throw missing(`there is no key ${quote(key)}`, at)
    if (place < 0 && !isWhole) throw incomplete(end)
    if (place < 0) throw missing(`the document ends before a key ${quote(key)}`, end)
    at = place
  }
  if (at < end && sample[at] === OPEN_ARRAY) return at + 1
  throw missing('there is no array', at)
}

/** Where the value of `key` begins in the object from behind whose brace `at` is; null where it has none, -1 where the sample ends before. */
function memberAt(sample: Uint8Array, at: number, key: string): number | null {
  const end = sample.length
  for (;;) {
    at = skipSpace(sample, at, end)
    if (at >= end) return -1
    if (sample[at] === CLOSE_OBJECT) return null
    const name = parseJson(sample, at, end)
    if (name.isCut) return -1
    if (name.fault !== null || name.root?.kind !== 'string')
      throw fault('a key in quotes is missing', name.fault?.byteOffset ?? at)
    at = skipSpace(sample, name.end, end)
    if (at >= end) return -1
    if (sample[at] !== COLON) throw fault('a colon is missing behind a key', at)
    at = skipSpace(sample, at + 1, end)
    if (at >= end) return -1
    if (name.root.text === key) return at
    const value = parseJson(sample, at, end)
    if (value.isCut) return -1
    if (value.fault !== null) throw fault(value.fault.message, value.fault.byteOffset)
    at = skipSpace(sample, value.end, end)
    if (at < end && sample[at] !== CLOSE_OBJECT) {
      if (sample[at] !== COMMA) throw fault('a comma or the end of the object is missing', at)
      at++
    }
  }
}

/** Paths to arrays of objects, those nearest to the top first. */
function arraysOf(root: JsonNode | null): string[] {
  const found: string[] = []
  let level: [path: string, node: JsonNode][] = root?.kind === 'object' ? [['', root]] : []
  for (let depth = 0; depth < 4 && level.length > 0; depth++) {
    const next: typeof level = []
    for (const [path, { keys, nodes }] of level) {
      for (const [i, node] of nodes.entries()) {
        const place = path === '' ? keys[i] : `${path}.${keys[i]}`
        if (node.kind === 'array' && node.nodes[0]?.kind === 'object') found.push(place)
        else if (node.kind === 'object') next.push([place, node])
      }
    }
    level = next
  }
  return [...new Set(found)].slice(0, 8)
}

const hint = (found: readonly string[]): string =>
  found.length === 0
    ? 'there is no array of objects near its top'
    : `give ${found.map(path => `path: '${path}'`).join(' or ')}`

export const fault = (
  message: string,
  byteOffset: number,
  advice?: string,
  candidates?: readonly string[],
): MillraceError =>
  new MillraceError(
    'MR_FORMAT_ERROR',
    `json: ${message}, at byte ${byteOffset}${advice === undefined ? '' : `; ${advice}`}`,
    {
      operator: 'json',
      byteOffset,
      ...(candidates === undefined ? {} : { candidates }),
    },
  )

export const incomplete = (length: number): MillraceError =>
  new MillraceError(
    'MR_FORMAT_ERROR',
    `json: no record ends within the first ${length} bytes, all that was looked at`,
    {
      operator: 'json',
      byteOffset: length,
      incomplete: true,
    },
  )

const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
