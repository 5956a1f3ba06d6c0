// The exact answers, by plain loops that share no code with any peer; check.js holds a peer's answer against them.

import { exactMoments, exactSums, roundedQuotient, SQUARE_EXPONENT, VALUE_EXPONENT } from './exact.js'
import { groupRows } from './key-table.js'
import { isTextKey } from './questions.js'

/**
 * An answer in the form that all are compared in: one row a group, string keys as codes; the largest values of a group are a column each (`largest 1`,
 * `largest 2`); NaN stands for a value that is not there. Arrays are as long as `rowCount`.
 *
 * @typedef {object} Answer
 * @property {number} rowCount groups
 * @property {Record<string, Int32Array>} keys
 * @property {Record<string, Float64Array>} outputs
 */

/**
 * Groups in order of first appearance; every value exact, and rounded once.
 *
 * @param {import('./data.js').GroupByData} data
 * @param {import('./questions.js').Question} question
 * @returns {Answer}
 */
export function referenceAnswer(data, question) {
  const codes = question.keys.map(key => (isTextKey(key) ? data.columns[key].codes : data.columns[key]))
  const { groupOf, groupCount, firstRow } = groupRows(codes, data.rowCount)
  const counts = new Float64Array(groupCount)
  for (let i = 0; i < data.rowCount; i++) counts[groupOf[i]]++
  const groups = { groupOf, groupCount, counts }
  /** @type {Answer} */
  const answer = { rowCount: groupCount, keys: {}, outputs: {} }
  question.keys.forEach((key, k) => {
    answer.keys[key] = Int32Array.from(firstRow, row => codes[k][row])
  })
  for (const output of question.outputs) {
    valuesOf(output, data.columns, groups).forEach((values, i) => {
      answer.outputs[outputNames(output)[i]] = values
    })
  }
  return answer
}

/**
 * The columns that an output has in an `Answer`.
 *
 * @param {import('./questions.js').Output} output
 * @returns {string[]}
 */
export function outputNames(output) {
  if (output.of !== 'largest') return [output.name]
  return Array.from({ length: output.count }, (_, i) => `${output.name} ${i + 1}`)
}

/** @returns {Float64Array[]} */
function valuesOf(output, columns, groups) {
  switch (output.of) {
    case 'count':
      return [groups.counts]
    case 'sum':
      return [sums(columns[output.column], groups, null)]
    case 'mean':
      return [sums(columns[output.column], groups, groups.counts)]
    case 'range':
      return [ranges(columns[output.max], columns[output.min], groups)]
    case 'median':
      return [medians(columns[output.column], groups)]
    case 'stddev':
      return [deviations(columns[output.column], groups)]
    case 'largest':
      return largest(columns[output.column], groups, output.count)
    case 'r2':
      return [squaredCorrelations(columns[output.x], columns[output.y], groups)]
  }
}

/** Exact sums rounded once, or with `counts` exact means rounded once. */
function sums(values, { groupOf, groupCount }, counts) {
  if (values instanceof Int32Array) {
    // Below 2^53 a float64 sum of integers is exact, and one division rounds once.
    const total = new Float64Array(groupCount)
    for (let i = 0; i < values.length; i++) total[groupOf[i]] += values[i]
    return counts ? total.map((value, group) => value / counts[group]) : total
  }
  const sumOf = exactSums(values, groupOf, groupCount)
  return Float64Array.from({ length: groupCount }, (_, group) =>
    roundedQuotient(sumOf(group), counts ? BigInt(counts[group]) : 1n, VALUE_EXPONENT),
  )
}

function ranges(highColumn, lowColumn, { groupOf, groupCount }) {
  const high = new Float64Array(groupCount).fill(-Infinity)
  const low = new Float64Array(groupCount).fill(Infinity)
  for (let i = 0; i < groupOf.length; i++) {
    const group = groupOf[i]
    if (highColumn[i] > high[group]) high[group] = highColumn[i]
    if (lowColumn[i] < low[group]) low[group] = lowColumn[i]
  }
  return high.map((value, group) => value - low[group])
}

/** The middle value, or the point halfway between the two in the middle: their sum is rounded once, and halving it is exact. */
function medians(values, groups) {
  return mapGroups(values, groups, (own, from, to) => {
    own.subarray(from, to).sort()
    const middle = from + ((to - from) >> 1)
    return (to - from) % 2 ? own[middle] : (own[middle - 1] + own[middle]) / 2
  })
}

/** The root of the sample variance (n * Sxx - Sx^2) / (n * (n - 1)), which is exact and rounded once. */
function deviations(values, groups) {
  return mapGroups(values, groups, (own, from, to) => {
    const n = BigInt(to - from)
    if (n < 2n) return NaN
    const { sum, squares } = exactMoments(own, from, to)
    return Math.sqrt(roundedQuotient(n * squares - sum * sum, n * (n - 1n), SQUARE_EXPONENT))
  })
}

/** A column a place: the largest of each group, the next, ... */
function largest(values, { groupOf, groupCount }, count) {
  const columns = Array.from({ length: count }, () => new Float64Array(groupCount).fill(NaN))
  for (let i = 0; i < values.length; i++) {
    const group = groupOf[i]
    let value = values[i]
    for (const column of columns) {
      const held = column[group]
      if (value <= held) continue
      column[group] = value
      if (Number.isNaN(held)) break
      value = held
    }
  }
  return columns
}

/** The square of Nxy / (sqrt(Nxx) * sqrt(Nyy)), each N exact and then a float64, the correlation clamped to -1..1. */
function squaredCorrelations(xs, ys, { groupOf, groupCount, counts }) {
  const moments = Array.from({ length: 5 }, () => new Float64Array(groupCount))
  const [sumX, sumY, sumXX, sumYY, sumXY] = moments
  // Sums of products of small integers are whole and below 2^53.
  for (let i = 0; i < xs.length; i++) {
    const group = groupOf[i]
    const x = xs[i]
    const y = ys[i]
    sumX[group] += x
    sumY[group] += y
    sumXX[group] += x * x
    sumYY[group] += y * y
    sumXY[group] += x * y
  }
  return counts.map((count, group) => {
    const [x, y, xx, yy, xy] = moments.map(sums => BigInt(sums[group]))
    const n = BigInt(count)
    const spreadX = Number(n * xx - x * x)
    const spreadY = Number(n * yy - y * y)
    if (spreadX === 0 || spreadY === 0) return NaN
    const quotient = Number(n * xy - x * y) / (Math.sqrt(spreadX) * Math.sqrt(spreadY))
    const correlation = Math.max(-1, Math.min(1, quotient))
    return correlation * correlation
  })
}

/** Calls `evaluate` for every group with its values side by side, in `own` from `from` to `to`. */
function mapGroups(values, { groupOf, groupCount, counts }, evaluate) {
  const ends = new Int32Array(groupCount)
  for (let group = 1; group < groupCount; group++) ends[group] = ends[group - 1] + counts[group - 1]
  const own = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) own[ends[groupOf[i]]++] = values[i]
  return counts.map((count, group) => evaluate(own, ends[group] - count, ends[group]))
}
