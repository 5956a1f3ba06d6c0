// The columns that kernels are measured over: those of the group-by benchmark, and floats of other kinds of which exact sums cost differently.

import { groupByData } from '../groupby/data.js'
import { randomStream } from '../random.js'

/**
 * @param {number} rowCount
 * @param {number} seed
 * @returns {Record<string, Int32Array | Float64Array>} `small`, `middle` and `large` are group numbers below 100, 10,000 and rowCount / 100; `spread`
 *   has as many values as `large`, all over int32
 */
export function kernelColumns(rowCount, seed) {
  const { id1, id2, id6, v1, v3 } = groupByData(rowCount, seed, ['id1', 'id2', 'id6', 'v1', 'v3']).columns
  const next = randomStream(seed, 0x6b65726e)
  return {
    small: id1.codes,
    other: id2.codes,
    middle: id1.codes.map((code, row) => 100 * code + id2.codes[row]),
    large: id6.map(key => key - 1),
    // A bijection of int32, so that nothing shows how few there are.
    spread: id6.map(key => Math.imul(key, 0x9e3779b1)),
    v1,
    v3,
    whole: Float64Array.from(v1),
    prices: fill(rowCount, () => Math.round(next() * 99_999 + 1) / 100),
    normal: fill(rowCount, () => 100 + 15 * gaussian(next)),
    wide: fill(rowCount, () => (next() - 0.5) * 10 ** (300 * next() - 150)),
  }
}

/** How the float columns are called in tables. */
export const floatColumns = {
  whole: 'whole numbers, as floats',
  v3: 'v3 of the benchmark',
  prices: 'two-decimal prices',
  normal: 'a normal distribution',
  wide: 'values of 1e-150 to 1e150',
}

function fill(rowCount, value) {
  const values = new Float64Array(rowCount)
  for (let row = 0; row < rowCount; row++) values[row] = value()
  return values
}

/** Box and Muller's transform: mean 0, deviation 1. */
function gaussian(next) {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}
