/**
 * A Parquet writer for tests, page by page: bodies and headers come from the caller, so that a test can write version 1 pages, rare encodings
 * and lies. Well-formed tables of version 2 are written by hyparquet-writer in the tests themselves.
 */

type Value =
  | { readonly i32: number }
  | { readonly i64: bigint | number }
  | { readonly i8: number }
  | { readonly bool: boolean }
  | { readonly text: string | Uint8Array }
  | { readonly list: readonly Struct[] }
  | { readonly struct: Struct }
export type Struct = Readonly<Record<number, Value | undefined>>

export interface PageSpec {
  readonly kind: 'data' | 'data2' | 'dictionary'
  /** As it lies in the file: compressed where the codec says so. */
  readonly body: Uint8Array
  readonly count: number
  readonly encoding: number
  readonly uncompressed?: number
  readonly compressed?: number
  readonly crc?: number
  readonly nulls?: number
  readonly definitionBytes?: number
  readonly repetitionBytes?: number
  readonly levelEncoding?: number
  readonly isCompressed?: boolean
}

export interface ColumnSpec {
  readonly name: string
  /** `parquet.thrift`, enum Type. */
  readonly physical: number
  readonly repetition?: 0 | 1 | 2
  readonly converted?: number
  readonly logical?: Struct
  readonly typeLength?: number
  /** Of each row group. */
  readonly chunks: readonly {
    readonly pages: readonly PageSpec[]
    readonly statistics?: Struct
    readonly metadata?: Struct
    readonly chunk?: Struct
  }[]
  readonly codec?: number
}

export interface FileSpec {
  readonly columns: readonly ColumnSpec[]
  readonly rowCounts: readonly number[]
  /** Whether the footer declares the types' own order for bounds. */
  readonly columnOrders?: boolean
  /** Replaces the schema that the columns make. */
  readonly schema?: readonly Struct[]
  readonly footer?: Struct
}

export function writeParquet({ columns, rowCounts, columnOrders = true, schema, footer = {} }: FileSpec): Uint8Array {
  const out: number[] = [...ascii('PAR1')]
  const rowGroups = rowCounts.map((rowCount, g): Struct => {
    const chunks = columns.map(({ name, physical, codec = 0, chunks }): Struct => {
      const { pages, statistics, metadata = {}, chunk = {} } = chunks[g] as (typeof chunks)[number]
      const start = out.length
      let dataPage = -1
      let uncompressed = 0
      for (const page of pages) {
        if (page.kind !== 'dictionary' && dataPage < 0) dataPage = out.length
        const header = pageHeader(page)
        out.push(...header)
        for (const byte of page.body) out.push(byte)
        uncompressed += header.length + (page.uncompressed ?? page.body.length)
      }
      const meta: Struct = {
        1: { i32: physical },
        3: { list: [] },
        4: { i32: codec },
        5: { i64: rowCount },
        6: { i64: uncompressed },
        7: { i64: out.length - start },
        9: { i64: dataPage < 0 ? start : dataPage },
        ...(pages[0]?.kind === 'dictionary' ? { 11: { i64: start } } : {}),
        ...(statistics === undefined ? {} : { 12: { struct: statistics } }),
        ...metadata,
      }
      void name
      return { 2: { i64: start }, 3: { struct: meta }, ...chunk }
    })
    return { 1: { list: chunks }, 2: { i64: 0 }, 3: { i64: rowCount } }
  })
  const elements = schema ?? [
    { 4: { text: 'root' }, 5: { i32: columns.length } },
    ...columns.map(
      ({ name, physical, repetition = 0, converted, logical, typeLength }): Struct => ({
        1: { i32: physical },
        ...(typeLength === undefined ? {} : { 2: { i32: typeLength } }),
        3: { i32: repetition },
        4: { text: name },
        ...(converted === undefined ? {} : { 6: { i32: converted } }),
        ...(logical === undefined ? {} : { 10: { struct: logical } }),
      }),
    ),
  ]
  const metadata = struct({
    1: { i32: 2 },
    2: { list: elements },
    3: { i64: rowCounts.reduce((sum, count) => sum + count, 0) },
    4: { list: rowGroups },
    ...(columnOrders ? { 7: { list: columns.map(() => ({ 1: { struct: {} } })) } } : {}),
    ...footer,
  })
  out.push(...metadata, ...uint32(metadata.length), ...ascii('PAR1'))
  return Uint8Array.from(out)
}

function pageHeader(page: PageSpec): number[] {
  const { kind, body, count, encoding, uncompressed = body.length, compressed = body.length, crc, nulls = 0 } = page
  const { definitionBytes = 0, repetitionBytes = 0, levelEncoding = 3, isCompressed } = page
  return struct({
    1: { i32: kind === 'data' ? 0 : kind === 'dictionary' ? 2 : 3 },
    2: { i32: uncompressed },
    3: { i32: compressed },
    ...(crc === undefined ? {} : { 4: { i32: crc } }),
    ...(kind === 'data'
      ? { 5: { struct: { 1: { i32: count }, 2: { i32: encoding }, 3: { i32: levelEncoding }, 4: { i32: 3 } } } }
      : {}),
    ...(kind === 'dictionary' ? { 7: { struct: { 1: { i32: count }, 2: { i32: encoding } } } } : {}),
    ...(kind === 'data2'
      ? {
          8: {
            struct: {
              1: { i32: count },
              2: { i32: nulls },
              3: { i32: count },
              4: { i32: encoding },
              5: { i32: definitionBytes },
              6: { i32: repetitionBytes },
              ...(isCompressed === undefined ? {} : { 7: { bool: isCompressed } }),
            },
          },
        }
      : {}),
  })
}

/** Thrift's compact protocol. */
export function struct(fields: Struct): number[] {
  const out: number[] = []
  let last = 0
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const id = Number(key)
    const type = 'bool' in value ? (value.bool ? 1 : 2) : wireType(value)
    if (id - last < 16) out.push(((id - last) << 4) | type)
    else out.push(type, ...zigzag(BigInt(id)))
    last = id
    if (!('bool' in value)) out.push(...encode(value))
  }
  out.push(0)
  return out
}

function wireType(value: Value): number {
  return 'i8' in value ? 3 : 'i32' in value ? 5 : 'i64' in value ? 6 : 'text' in value ? 8 : 'list' in value ? 9 : 12
}

function encode(value: Value): number[] {
  if ('i8' in value) return [value.i8]
  if ('i32' in value) return zigzag(BigInt(value.i32))
  if ('i64' in value) return zigzag(BigInt(value.i64))
  if ('text' in value) {
    const bytes = typeof value.text === 'string' ? new TextEncoder().encode(value.text) : value.text
    return [...varint(bytes.length), ...bytes]
  }
  if ('list' in value) {
    const head = value.list.length < 15 ? [(value.list.length << 4) | 12] : [0xfc, ...varint(value.list.length)]
    return [...head, ...value.list.flatMap(struct)]
  }
  return 'struct' in value ? struct(value.struct) : []
}

export function varint(value: number | bigint): number[] {
  let rest = BigInt(value)
  const out: number[] = []
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  out.push(Number(rest))
  return out
}

export const zigzag = (value: bigint): number[] => varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)))

export const ascii = (text: string): number[] => [...text].map(character => character.charCodeAt(0))
export const uint32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]

/** Equal and packed runs of the hybrid: `packed` in groups of eight, zero-filled. */
export function hybrid(
  width: number,
  runs: readonly ({ readonly value: number; readonly times: number } | { readonly packed: readonly number[] })[],
): number[] {
  return runs.flatMap(run => {
    if ('value' in run) {
      const bytes = [...new Uint8Array(Uint32Array.of(run.value).buffer)].slice(0, (width + 7) >> 3)
      return [...varint(run.times * 2), ...bytes]
    }
    const groups = Math.ceil(run.packed.length / 8)
    return [...varint(groups * 2 + 1), ...packBits(width, run.packed, groups * width)]
  })
}

export function packBits(width: number, values: readonly (number | bigint)[], byteLength: number): number[] {
  let bits = 0n
  values.forEach((value, i) => {
    bits |= BigInt.asUintN(width, BigInt(value)) << BigInt(i * width)
  })
  return Array.from({ length: byteLength }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n))
}

/** DELTA_BINARY_PACKED. */
export function delta(values: readonly bigint[], bits: 32 | 64, blockSize = 128, miniblocks = 4): number[] {
  const wrap = (value: bigint) => BigInt.asIntN(bits, value)
  const out = [...varint(blockSize), ...varint(miniblocks), ...varint(values.length), ...zigzag(values[0] ?? 0n)]
  for (let from = 1; from < values.length; from += blockSize) {
    const block = Array.from({ length: Math.min(blockSize, values.length - from) }, (_, i) =>
      wrap((values[from + i] as bigint) - (values[from + i - 1] as bigint)),
    )
    const least = block.reduce((a, b) => (b < a ? b : a))
    const size = blockSize / miniblocks
    const parts = Array.from({ length: miniblocks }, (_, m) =>
      block.slice(m * size, (m + 1) * size).map(d => BigInt.asUintN(bits, d - least)),
    )
    const widths = parts.map(part =>
      part.reduce((most, d) => Math.max(most, d.toString(2).length * Number(d !== 0n)), 0),
    )
    out.push(...zigzag(least), ...widths)
    parts.forEach((part, m) => {
      if (part.length > 0) out.push(...packBits(widths[m] as number, part, (size * (widths[m] as number)) / 8))
    })
  }
  return out
}
