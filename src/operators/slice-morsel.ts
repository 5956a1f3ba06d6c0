import type { Kernels } from '../kernels/instance.js'
import { rangeIndices } from '../kernels/select.js'
import { sliceBatch } from './heap-batch.js'
import type { Morsel } from './operator.js'

/** Some rows of a morsel, where they lie, that still know where they came from. */
export function sliceMorsel(k: Kernels, morsel: Morsel, from: number, count: number): Morsel {
  if (count === morsel.rowCount) return morsel
  const rows = morsel.rows === 0 ? rangeIndices(k, from, from + count) : morsel.rows + 4 * from
  return { ...sliceBatch(morsel, from, count), rows }
}
