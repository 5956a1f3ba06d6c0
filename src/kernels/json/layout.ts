/**
 * The structs of a JSON parser in lane memory, made from the paths of the columns wanted. assembly/json/layout.ts says what the fields mean and has
 * the same offsets; json.ts runs the parser.
 */
import { type DataType, isInteger } from '../../columnar/type.js'
import { encodeUtf8Into } from '../../columnar/utf8.js'
import type { Kernels } from '../instance.js'

/** Places of fields, in words of 32 bits. */
export const PARSER = {
  at: 0,
  end: 1,
  stop: 2,
  flags: 3,
  row: 4,
  rowEnd: 5,
  groupFrom: 6,
  groupEnd: 7,
  columns: 8,
  columnCount: 9,
  itemCount: 10,
  root: 11,
  slots: 12,
  slotMask: 13,
  seed: 14,
  spare: 15,
  spareEnd: 16,
  keys: 17,
  keysEnd: 18,
  pool: 19,
  poolUsed: 20,
  poolEnd: 21,
  textLimit: 22,
  serial: 23,
  state: 25,
  fault: 27,
  faultAt: 28,
  faultColumn: 29,
  badFrom: 34,
  badTo: 35,
  needBytes: 36,
  needColumn: 37,
  after: 40,
  nesting: 45,
  number: 46,
  powers: 47,
  groupRows: 49,
  places: 50,
  lines: 51,
  line: 52,
  lineEnd: 53,
  scanned: 54,
  mayBatch: 58,
  hasRepairs: 59,
  repaired: 60,
} as const

export const COLUMN = {
  least: 0,
  greatest: 2,
  ticksPerSecond: 4,
  op: 6,
  data: 7,
  validity: 8,
  hasNulls: 9,
  spans: 10,
  spansFrom: 11,
  table: 12,
  index: 13,
  indexShift: 14,
  indexRoom: 15,
  items: 16,
  count: 17,
  capacity: 18,
  serial: 19,
  misfitSerial: 20,
  next: 23,
} as const

const NODE = { parent: 0, serial: 1, depth: 2, columns: 3, columnCount: 4, other: 5 } as const
const ENTRY = { mask: 10, next: 13, node: 17, op: 18, column: 19, child: 20, keyAt: 21, keyLength: 22 } as const

const PARSER_BYTES = 256
const COLUMN_BYTES = 96
const NODE_BYTES = 32
const ENTRY_BYTES = 96
const NESTING_BYTES = 128
const MOST_POWER = 15
/** Records of a batch, and line breaks that are looked for ahead: see assembly/json/batch.ts. */
const BATCH_RECORDS = 64
const LINES_AHEAD = 1024 + 64

/** Keys that nobody asked for are remembered up to so many, and so many bytes of them. */
const SPARE_ENTRIES = 384
const SPARE_KEY_BYTES = 8192

export const FLAG = { isEnd: 1, isArray: 2, isFatal: 4 } as const
export const STATUS = { done: 0, bad: 1, tableFull: 2, poolFull: 3, itemsFull: 4, groupFull: 5 } as const
export const STATE = { first: 0, lost: 3 } as const

export const TEXT = 1
export const LIST = 11
const MANY = 12
const OPS: Partial<Record<DataType['kind'], number>> = {
  utf8: TEXT,
  int32: 2,
  uint32: 2,
  int64: 3,
  float64: 4,
  bool: 5,
  int8: 6,
  uint8: 6,
  int16: 7,
  uint16: 7,
  float32: 8,
  date: 9,
  timestamp: 10,
  list: LIST,
}

export const isReadable = ({ kind, item }: DataType): boolean =>
  kind === 'list' ? item !== undefined && item.kind !== 'list' && isReadable(item) : OPS[kind] !== undefined

const TICKS = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const

export interface JsonLayout {
  /** Of the Parser struct. */
  readonly parser: number
  /** Of the Column structs, one for each column wanted. */
  readonly columns: readonly number[]
  /** Of their items, where they are lists; else 0. */
  readonly items: readonly number[]
  /** Counts records from 0 again. */
  restart(): void
  free(): void
}

/** An object on the way to columns. */
interface Node {
  readonly parent: Node | null
  readonly depth: number
  readonly keys: Map<string, { readonly columns: number[]; child: Node | null }>
  /** All below. */
  readonly columns: number[]
}

const makeNode = (parent: Node | null): Node => ({
  parent,
  depth: parent === null ? 1 : parent.depth + 1,
  keys: new Map(),
  columns: [],
})

/** @param paths of the columns wanted, in order. */
export function layOutJson(k: Kernels, paths: readonly (readonly string[])[], types: readonly DataType[]): JsonLayout {
  const { memory } = k
  const root = makeNode(null)
  const nodes = [root]
  for (const [i, path] of paths.entries()) {
    let node = root
    for (const [depth, key] of path.entries()) {
      node.columns.push(i)
      let found = node.keys.get(key)
      if (found === undefined) {
        found = { columns: [], child: null }
        node.keys.set(key, found)
      }
      if (depth === path.length - 1) found.columns.push(i)
      else {
        if (found.child === null) {
          found.child = makeNode(node)
          nodes.push(found.child)
        }
        node = found.child
      }
    }
  }

  const keys = nodes.flatMap(node => [...node.keys.keys()])
  const entryCount = keys.length + nodes.length + SPARE_ENTRIES
  let slotCount = 64
  while (slotCount < 2 * entryCount) slotCount *= 2
  const keyBytes = keys.reduce((sum, key) => sum + 3 * key.length + 16, 0)
  const pointerCount = 2 * types.length + nodes.reduce((sum, node) => sum + node.columns.length, 0)

  let byteLength = 0
  const reserve = (bytes: number): number => {
    const at = byteLength
    byteLength += Math.ceil(bytes / 16) * 16
    return at
  }
  const parts = {
    parser: reserve(PARSER_BYTES),
    columns: reserve(COLUMN_BYTES * types.length * 2),
    nodes: reserve(NODE_BYTES * nodes.length),
    entries: reserve(ENTRY_BYTES * entryCount),
    slots: reserve(4 * slotCount),
    pointers: reserve(4 * pointerCount),
    keys: reserve(keyBytes + SPARE_KEY_BYTES),
    nesting: reserve(NESTING_BYTES),
    number: reserve(16),
    powers: reserve(8 * (MOST_POWER + 1)),
    places: reserve(4 * BATCH_RECORDS),
    lines: reserve(4 * LINES_AHEAD),
  }
  const block = memory.allocate(byteLength)
  memory.bytes(block, byteLength).fill(0)
  const { u32, i64, u8 } = memory
  const set = (struct: number, field: number, value: number) => {
    u32[(struct >>> 2) + field] = value
  }
  const parser = block + parts.parser
  const columns = types.map((_, i) => block + parts.columns + i * COLUMN_BYTES)
  const items = types.map(({ kind }, i) =>
    kind === 'list' ? block + parts.columns + (types.length + i) * COLUMN_BYTES : 0,
  )

  let pointerAt = block + parts.pointers
  const putPointers = (pointers: readonly number[]): number => {
    const at = pointerAt
    u32.set(pointers, at >>> 2)
    pointerAt += 4 * pointers.length
    return at
  }
  const describe = (column: number, type: DataType) => {
    const { least, greatest } = boundsOf(type)
    i64[(column >>> 3) + COLUMN.least / 2] = least
    i64[(column >>> 3) + COLUMN.greatest / 2] = greatest
    i64[(column >>> 3) + COLUMN.ticksPerSecond / 2] = type.unit === undefined ? 0n : TICKS[type.unit]
    set(column, COLUMN.op, OPS[type.kind] as number)
  }
  for (const [i, type] of types.entries()) {
    describe(columns[i], type)
    if (items[i] === 0) continue
    describe(items[i], type.item as DataType)
    set(columns[i], COLUMN.items, items[i])
  }

  const lists = items.filter(pointer => pointer !== 0)
  set(parser, PARSER.columns, putPointers([...columns, ...lists]))
  set(parser, PARSER.columnCount, columns.length)
  set(parser, PARSER.itemCount, lists.length)
  set(parser, PARSER.slots, block + parts.slots)
  set(parser, PARSER.slotMask, slotCount - 1)
  set(parser, PARSER.seed, k.seed)
  set(parser, PARSER.nesting, block + parts.nesting)
  set(parser, PARSER.number, block + parts.number)
  set(parser, PARSER.powers, block + parts.powers)
  for (let i = 0; i <= MOST_POWER; i++) memory.f64[((block + parts.powers) >>> 3) + i] = 10 ** i
  set(parser, PARSER.places, block + parts.places)
  set(parser, PARSER.lines, block + parts.lines)

  let entryAt = block + parts.entries
  let keyAt = block + parts.keys
  const nodeAt = new Map(nodes.map((node, i) => [node, block + parts.nodes + i * NODE_BYTES]))
  const placeOf = (node: Node | null) => (node === null ? 0 : (nodeAt.get(node) as number))
  const takeEntry = (): number => {
    const entry = entryAt
    entryAt += ENTRY_BYTES
    return entry
  }
  set(parser, PARSER.root, placeOf(root))
  const named: number[] = []
  for (const node of nodes) {
    const at = placeOf(node)
    const other = takeEntry()
    // Nothing is expected behind its value: see `forget` in assembly/json/keys.ts.
    set(other, ENTRY.mask, -1)
    set(other, ENTRY.mask + 1, -1)
    set(other, ENTRY.next, other)
    set(other, ENTRY.node, at)
    set(at, NODE.parent, placeOf(node.parent))
    set(at, NODE.depth, node.depth)
    set(at, NODE.columns, putPointers(node.columns.map(i => columns[i])))
    set(at, NODE.columnCount, node.columns.length)
    set(at, NODE.other, other)
    for (const [key, { columns: own, child }] of node.keys) {
      const entry = takeEntry()
      set(entry, ENTRY.node, at)
      set(entry, ENTRY.op, own.length === 1 && child === null ? (OPS[types[own[0]].kind] as number) : MANY)
      set(entry, ENTRY.column, own.length === 0 ? 0 : columns[own[0]])
      for (const [j, i] of own.entries()) set(columns[i], COLUMN.next, j + 1 === own.length ? 0 : columns[own[j + 1]])
      set(entry, ENTRY.child, placeOf(child))
      set(entry, ENTRY.keyAt, keyAt)
      const length = encodeUtf8Into(key, u8, keyAt)
      set(entry, ENTRY.keyLength, length)
      keyAt += length
      named.push(entry)
    }
  }
  set(parser, PARSER.spare, entryAt)
  set(parser, PARSER.spareEnd, entryAt + SPARE_ENTRIES * ENTRY_BYTES)
  set(parser, PARSER.keys, keyAt)
  set(parser, PARSER.keysEnd, keyAt + SPARE_KEY_BYTES)
  for (const entry of named) k.exports.jsonAddKey(parser, entry)
  return {
    parser,
    columns,
    items,
    restart() {
      const words = memory.u32
      words[(parser >>> 2) + PARSER.serial] = 0
      for (const node of nodes) words[(placeOf(node) >>> 2) + NODE.serial] = 0
      for (const column of columns) {
        words[(column >>> 2) + COLUMN.serial] = 0
        words[(column >>> 2) + COLUMN.misfitSerial] = 0
      }
    },
    free: () => memory.free(block),
  }
}

/** Of an integer column, and of the ticks of a time; of others they mean nothing. */
function boundsOf({ kind }: DataType): { readonly least: bigint; readonly greatest: bigint } {
  const bits = kind === 'date' ? 32n : isInteger(kind) ? BigInt(kind.replace(/\D/g, '')) : 64n
  if (kind.startsWith('uint')) return { least: 0n, greatest: 2n ** bits - 1n }
  return { least: -(2n ** (bits - 1n)), greatest: 2n ** (bits - 1n) - 1n }
}
