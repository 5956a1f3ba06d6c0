/** Reads Arrow bytes by the reader that lanes have, into plain values, without a flow. */
import type { Vector } from '../../../src/columnar/vector.js'
import { describeFile } from '../../../src/formats/arrow/file.js'
import { open } from '../../../src/formats/arrow/lane-extension.js'
import type { InputDescriptor } from '../../../src/formats/byte-source.js'
import type { PlainVector } from '../../../src/formats/plain-batch.js'

export interface Read {
  readonly rowCount: number
  readonly columns: Record<string, unknown[]>
  readonly illFormedCount: number
}

export const inputOf = (bytes: Uint8Array): InputDescriptor => ({ kind: 'bytes', bytes })

/** All rows of these columns, or of all that can be read. */
export async function readArrow(bytes: Uint8Array, names?: readonly string[]): Promise<Read> {
  const { file: described } = await describeFile(inputOf(bytes), null)
  const wanted = names ?? Object.keys(described.schema).filter(name => described.schema[name]?.kind !== 'struct')
  const reader = await open(inputOf(bytes), null, structuredClone(described.index))
  const columns: Record<string, unknown[]> = Object.fromEntries(wanted.map(name => [name, []]))
  let rowCount = 0
  let illFormedCount = 0
  for (const part of described.parts.keys()) {
    let rows = 0
    for await (const batch of reader.read(part, wanted)) {
      for (const [i, name] of wanted.entries()) columns[name]?.push(...valuesOf(batch.vectors[i] as PlainVector))
      rows += batch.rowCount
      illFormedCount += batch.illFormedCount
    }
    if (rows !== described.parts[part]?.rowCount) throw new Error(`part ${part} has ${rows} rows`)
    rowCount += rows
  }
  await reader.close()
  if (rowCount !== described.rowCount) throw new Error(`${rowCount} rows came of ${described.rowCount}`)
  return { rowCount, columns, illFormedCount }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** Integers and counts of time as bigint, floats as numbers; nothing is trusted: a code or an offset out of range throws. */
export function valuesOf(vector: PlainVector): unknown[] {
  return Array.from({ length: vector.length }, (_, i) => valueAt(vector, i))
}

function valueAt(vector: PlainVector, i: number): unknown {
  const { type, validity, data, offsets, dictionary, child } = vector
  if (validity !== null && ((at(validity, i >> 3) >> (i & 7)) & 1) === 0) return null
  if (type.kind === 'bool') return ((at(data as Uint8Array, i >> 3) >> (i & 7)) & 1) === 1
  if (type.kind === 'list') {
    const [from, to] = [at(offsets as Int32Array, i), at(offsets as Int32Array, i + 1)]
    if (!child || from > to || to > child.length) throw new Error(`items ${from} to ${to} of ${child?.length}`)
    return Array.from({ length: to - from }, (_, item) => valueAt(child, from + item))
  }
  if (type.kind === 'utf8') {
    const texts = dictionary === null ? { offsets: offsets as Int32Array, bytes: data as Uint8Array } : dictionary
    const code = dictionary === null ? i : at(data as Int32Array, i)
    const [from, to] = [at(texts.offsets, code), at(texts.offsets, code + 1)]
    if (from < 0 || from > to || to > texts.bytes.length) throw new Error(`characters ${from} to ${to}`)
    return decoder.decode(texts.bytes.subarray(from, to))
  }
  const value = (data as Float64Array)[i]
  if (value === undefined) throw new Error(`row ${i} of ${data.length}`)
  return type.kind.startsWith('float') ? value : BigInt(value)
}

function at(array: { readonly [i: number]: number }, i: number): number {
  const value = array[i]
  if (value === undefined) throw new Error(`element ${i} is not there`)
  return value
}

export type { Vector }
