/** Rows of vectors by their places. Strings keep their dictionary. */
import { gatherTexts } from './used-strings.js'
import { bitmapBytes, getBit, setBit } from './validity.js'
import { allocateData, makeVector, type Vector } from './vector.js'

/** @param rows places in the vector, of which each is there */
export function gatherVector(vector: Vector, rows: Uint32Array): Vector {
  const { type, data, dictionary, offsets, child } = vector
  const validity = vector.validity === null ? null : gatherBits(vector.validity, rows)
  if (type.kind === 'bool') return makeVector(type, rows.length, gatherBits(data as Uint8Array, rows), { validity })
  if (offsets !== null && !child) {
    const texts = gatherTexts(offsets, data as Uint8Array, rows)
    return makeVector(type, rows.length, texts.bytes, { validity, offsets: texts.offsets })
  }
  if (offsets !== null) return gatherLists(vector, rows, validity)
  const out = type.kind === 'utf8' ? new Int32Array(rows.length) : allocateData(type.kind, rows.length)
  for (let i = 0; i < rows.length; i++) out[i] = (data as Int32Array)[rows[i] as number] as never
  return makeVector(type, rows.length, out, { validity, dictionary, child: child ?? null })
}

function gatherBits(bitmap: Uint8Array, rows: Uint32Array): Uint8Array {
  const out = new Uint8Array(bitmapBytes(rows.length))
  for (let i = 0; i < rows.length; i++) if (getBit(bitmap, rows[i] as number)) setBit(out, i)
  return out
}

function gatherLists(vector: Vector, rows: Uint32Array, validity: Uint8Array | null): Vector {
  const offsets = vector.offsets as Int32Array
  const out = new Int32Array(rows.length + 1)
  for (const [i, row] of rows.entries())
    out[i + 1] = (out[i] as number) + (offsets[row + 1] as number) - (offsets[row] as number)
  const items = new Uint32Array(out[rows.length] as number)
  for (const [i, row] of rows.entries()) {
    const from = offsets[row] as number
    for (let at = out[i] as number, item = from; at < (out[i + 1] as number); at++, item++) items[at] = item
  }
  const { type, child, data } = vector
  return makeVector(type, rows.length, data, { validity, offsets: out, child: gatherVector(child as Vector, items) })
}
