/** Reads Parquet bytes to plain JavaScript values for comparison: bigint for int64 and timestamps, days for dates, null for null. */

import { openParquet } from '../../../src/formats/parquet/lane-extension.js'
import type { PlainBatch, PlainVector } from '../../../src/formats/plain-batch.js'

/** Of a list's rows arrays, which only tests of lists look at. */
export type Values = (bigint | number | string | boolean | null)[]

export interface ReadTable {
  readonly columns: Record<string, Values>
  readonly batches: PlainBatch[]
}

export async function readTable(
  bytes: Uint8Array,
  names?: readonly string[],
  rowGroups?: readonly number[],
): Promise<ReadTable> {
  const reader = await openParquet({ kind: 'bytes', bytes })
  const wanted = names ?? Object.keys(reader.schema)
  const columns: Record<string, Values> = Object.fromEntries(wanted.map(name => [name, []]))
  const batches: PlainBatch[] = []
  for (const part of rowGroups ?? reader.rowGroups.keys()) {
    for await (const batch of reader.read(part, wanted)) {
      batches.push(batch)
      wanted.forEach((name, i) => {
        for (const value of valuesOf(batch.vectors[i] as PlainVector)) columns[name]?.push(value)
      })
    }
  }
  await reader.close()
  return { columns, batches }
}

export const readColumn = async (bytes: Uint8Array, name: string): Promise<Values> =>
  (await readTable(bytes, [name])).columns[name] as Values

const bitAt = (bitmap: Uint8Array, i: number): boolean => (((bitmap[i >> 3] as number) >> (i & 7)) & 1) === 1

export function valuesOf(vector: PlainVector): Values {
  const { type, length, validity, data, dictionary, offsets } = vector
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const items = vector.child ? valuesOf(vector.child) : null
  let nulls = 0
  const values: Values = []
  for (let i = 0; i < length; i++) {
    if (validity !== null && !bitAt(validity, i)) {
      nulls++
      values.push(null)
      // Null rows must stay harmless: a code in range, an offset that does not decrease.
      if (dictionary !== null && !((data[i] as number) >= 0 && (data[i] as number) < dictionary.length))
        throw new Error(`code ${data[i]} of a null row`)
      continue
    }
    if (type.kind === 'bool') values.push(bitAt(data as Uint8Array, i))
    else if (dictionary !== null) {
      const code = data[i] as number
      if (!(code >= 0 && code < dictionary.length)) throw new Error(`code ${code} of ${dictionary.length}`)
      values.push(decoder.decode(dictionary.bytes.subarray(dictionary.offsets[code], dictionary.offsets[code + 1])))
    } else if (items !== null) values.push(items.slice(offsets?.[i], offsets?.[i + 1]) as never)
    else if (offsets !== null) values.push(decoder.decode((data as Uint8Array).subarray(offsets[i], offsets[i + 1])))
    else values.push(data[i] as number | bigint)
  }
  if (
    offsets !== null &&
    (offsets.length !== length + 1 || offsets.some((end, i) => i > 0 && end < (offsets[i - 1] as number)))
  ) {
    throw new Error('offsets decrease or are too few')
  }
  if (nulls !== vector.nullCount) throw new Error(`${nulls} nulls, nullCount says ${vector.nullCount}`)
  return values
}
