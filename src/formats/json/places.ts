/** What was seen at each place of the records of a sample, a place being the keys that lead to it, and the columns that come of them. */
import { shorten } from '../../columnar/to-string.js'
import { list, nullable, utf8 } from '../../columnar/type.js'
import { createTypeScan, type Example, type InferredType, type TypeScan } from '../inferred-type.js'
import { sortOfNumber, sortOfTime, type ValueSort } from '../value-sort.js'
import { type JsonNode, MOST_DEPTH } from './parse.js'

/** Objects with more keys than this stay JSON text, as those do that are in too many others. */
const MOST_KEYS = 1000

export interface Place {
  readonly path: readonly string[]
  /** Rank by first appearance. */
  readonly rank: number
  /** Rows with something other than null here. */
  values: number
  /** The last of them: a record may have a key twice. */
  lastRow: number
  readonly scalars: TypeScan
  object: Example | null
  readonly children: Map<string, Place>
  array: Example | null
  readonly items: TypeScan
  /** An object or an array in an array. */
  nested: Example | null
}

export interface Places {
  /** @param textOf the JSON text of a node, if only its beginning. */
  see(record: JsonNode, row: number, textOf: (node: JsonNode) => string): void
  /** Those that are columns, by first appearance. */
  columns(): readonly Place[]
  /** All whose keys joined by dots are `name`. */
  named(name: string): readonly Place[]
}

/** @param flatten whether objects are columns of what is in them; otherwise they are JSON text. */
export function createPlaces(flatten: boolean): Places {
  let ranks = 0
  const createPlace = (path: readonly string[]): Place => ({
    path,
    rank: ranks++,
    values: 0,
    lastRow: -1,
    scalars: createTypeScan(true),
    object: null,
    children: new Map(),
    array: null,
    items: createTypeScan(true),
    nested: null,
  })
  const root = createPlace([])
  const isOpen = (place: Place): boolean =>
    flatten && place.path.length < MOST_DEPTH && place.children.size > 0 && place.children.size <= MOST_KEYS

  function seeMembers(place: Place, { keys, nodes }: JsonNode, row: number, textOf: (node: JsonNode) => string): void {
    for (const [i, key] of keys.entries()) {
      let child = place.children.get(key)
      if (child === undefined) {
        child = createPlace([...place.path, key])
        place.children.set(key, child)
      }
      seeValue(child, nodes[i], row, textOf)
    }
  }

  function seeValue(place: Place, node: JsonNode, row: number, textOf: (node: JsonNode) => string): void {
    if (node.kind === 'null') return
    if (place.lastRow !== row) place.values++
    place.lastRow = row
    if (node.kind === 'object') {
      place.object ??= { text: textOf(node), row }
      if (flatten && place.path.length < MOST_DEPTH && place.children.size <= MOST_KEYS)
        seeMembers(place, node, row, textOf)
    } else if (node.kind === 'array') {
      place.array ??= { text: textOf(node), row }
      for (const item of node.nodes) {
        if (item.kind === 'object' || item.kind === 'array') place.nested ??= { text: textOf(item), row }
        else if (item.kind !== 'null') place.items.see(sortOf(item), item.text, row)
      }
    } else {
      place.scalars.see(sortOf(node), node.text, row)
    }
  }

  function collect(place: Place, columns: Place[]): void {
    for (const child of place.children.values()) {
      if (child.array === null && child.scalars.values === 0 && isOpen(child)) collect(child, columns)
      else columns.push(child)
    }
  }

  function find(place: Place, name: string, from: number, found: Place[]): void {
    for (let end = from - 1; end < name.length; ) {
      const dot = name.indexOf('.', end + 1)
      end = dot < 0 ? name.length : dot
      const child = place.children.get(name.slice(from, end))
      if (child === undefined) continue
      if (dot < 0) found.push(child)
      else find(child, name, end + 1, found)
    }
  }

  return {
    see: (record, row, textOf) => seeMembers(root, record, row, textOf),
    columns() {
      const columns: Place[] = []
      collect(root, columns)
      return columns.sort((a, b) => a.rank - b.rank)
    },
    named(name) {
      const found: Place[] = []
      find(root, name, 0, found)
      return found
    },
  }
}

/** The type of a column: scalars and lists of scalars as what they are, all else as text, JSON where it is no string. */
export function typeOfPlace({ scalars, object, array, items, nested }: Place): InferredType {
  const text = (example: Example, why: string): InferredType => ({
    type: nullable(utf8()),
    reason: `${shorten(example.text)} in row ${example.row}${why}: JSON text`,
  })
  const shapes = [object, array, scalars.values > 0 ? scalars.first() : null].filter(shape => shape !== null)
  if (shapes.length > 1)
    return text(
      shapes.reduce((late, shape) => (shape.row >= late.row ? shape : late)),
      ' among others',
    )
  if (object !== null) return text(object, '')
  if (array === null) return scalars.decide()
  if (nested !== null) return text(nested, ', in an array')
  const { type, reason } = items.decide()
  const isMixed = type.kind === 'utf8' && (['bool', 'integer', 'wide', 'float'] as const).some(sort => items.has(sort))
  if (isMixed) return text(array, ' among arrays of other kinds')
  return { type: nullable(list(type)), reason: `items: ${reason}` }
}

function sortOf({ kind, text }: JsonNode): ValueSort {
  if (kind === 'bool') return 'bool'
  if (kind === 'number') return sortOfNumber(text) ?? 'float'
  return sortOfTime(text) ?? 'text'
}
