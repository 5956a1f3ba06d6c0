// The exact answers, by plain loops that share no code with any peer; check.js holds a peer's answer against them.

import { SMALL_KEYS } from './data.js'
import { isTextKey } from './questions.js'

/**
 * An answer in the form that all are compared in: string keys as codes, everything else as it is. Arrays are as long as `rowCount`.
 *
 * @typedef {object} Answer
 * @property {number} rowCount groups
 * @property {Record<string, Float64Array>} columns keys, then outputs
 */

/**
 * Groups in order of first appearance; sums of integers exact, sums and means of floats exact and rounded once.
 *
 * @param {import('./data.js').GroupByData} data
 * @param {import('./questions.js').Question} question
 * @returns {Answer}
 */
export function referenceAnswer(data, question) {
  const { groupOf, groupCount, firstRow } = groupRows(data, question.keys)
  const counts = new Float64Array(groupCount)
  for (let i = 0; i < data.rowCount; i++) counts[groupOf[i]]++
  /** @type {Record<string, Float64Array>} */
  const columns = {}
  for (const key of question.keys) {
    const codes = codesOf(data, key)
    columns[key] = Float64Array.from(firstRow, row => codes[row])
  }
  for (const output of question.outputs) {
    if (output.of === 'range') {
      columns[output.name] = ranges(data.columns[output.max], data.columns[output.min], groupOf, groupCount)
    } else {
      columns[output.name] = sums(
        data.columns[output.column],
        groupOf,
        output.of === 'mean' ? counts : null,
        groupCount,
      )
    }
  }
  return { rowCount: groupCount, columns }
}

function codesOf(data, key) {
  return isTextKey(key) ? data.columns[key].codes : data.columns[key]
}

/** Dense group numbers by direct indexing: every key of the benchmark is a small non-negative integer. */
function groupRows(data, keys) {
  const [first, second] = keys.map(key => codesOf(data, key))
  const stride = second ? SMALL_KEYS + 1 : 1
  let largest = 0
  for (let i = 0; i < data.rowCount; i++) largest = Math.max(largest, first[i])
  const groupOfKey = new Int32Array((largest + 1) * stride).fill(-1)
  const groupOf = new Int32Array(data.rowCount)
  const firstRow = []
  for (let i = 0; i < data.rowCount; i++) {
    const key = second ? first[i] * stride + second[i] : first[i]
    let group = groupOfKey[key]
    if (group < 0) {
      group = firstRow.length
      groupOfKey[key] = group
      firstRow.push(i)
    }
    groupOf[i] = group
  }
  return { groupOf, groupCount: firstRow.length, firstRow }
}

function ranges(highColumn, lowColumn, groupOf, groupCount) {
  const high = new Float64Array(groupCount).fill(-Infinity)
  const low = new Float64Array(groupCount).fill(Infinity)
  for (let i = 0; i < groupOf.length; i++) {
    const group = groupOf[i]
    if (highColumn[i] > high[group]) high[group] = highColumn[i]
    if (lowColumn[i] < low[group]) low[group] = lowColumn[i]
  }
  return high.map((value, group) => value - low[group])
}

/** Exact sums rounded once, or with `counts` exact means rounded once. */
function sums(values, groupOf, counts, groupCount) {
  if (values instanceof Int32Array) {
    // Below 2^53 a float64 sum of integers is exact, and one division rounds once.
    const total = new Float64Array(groupCount)
    for (let i = 0; i < values.length; i++) total[groupOf[i]] += values[i]
    return counts ? total.map((value, group) => value / counts[group]) : total
  }
  // A v3 is 0 or lies in 1e-6..100, so it is an integer times 2^-72 below 2^79: three limbs, of 27, 26 and 26 bits,
  // whose sums over fewer than 2^26 rows stay below 2^53.
  const high = new Float64Array(groupCount)
  const middle = new Float64Array(groupCount)
  const low = new Float64Array(groupCount)
  for (let i = 0; i < values.length; i++) {
    const group = groupOf[i]
    const scaled = values[i] * 2 ** 20
    const top = Math.floor(scaled)
    const rest = (scaled - top) * 2 ** 26
    const next = Math.floor(rest)
    high[group] += top
    middle[group] += next
    low[group] += (rest - next) * 2 ** 26
  }
  return high.map((_, group) => {
    const total = (BigInt(high[group]) << 52n) + (BigInt(middle[group]) << 26n) + BigInt(low[group])
    return quotient(total, counts ? BigInt(counts[group]) : 1n) * 2 ** -72
  })
}

/** numerator / denominator rounded once to the nearest float64, ties to even; both positive, the result below 2^1000. */
function quotient(numerator, denominator) {
  // 64 further bits leave more than 54 significant ones, and whatever remains becomes a sticky last bit: Number() then rounds right.
  const shifted = numerator << 64n
  const whole = shifted / denominator
  return Number(whole * denominator === shifted ? whole : whole | 1n) * 2 ** -64
}
