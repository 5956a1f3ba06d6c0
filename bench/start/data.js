// The thousand rows that every start-up program sums by key, and the check of its answer.

export const rowCount = 1000

/** Ten keys. */
export const keys = Array.from({ length: rowCount }, (_, i) => `key${i % 10}`)

export const values = Float64Array.from({ length: rowCount }, (_, i) => i)

/**
 * Ends the process: with success where the sums are right, whatever is still open.
 *
 * @param {ArrayLike<number>} sums ten sums in any order
 */
export function finish(sums) {
  let total = 0
  for (let i = 0; i < sums.length; i++) total += Number(sums[i])
  process.exit(sums.length === 10 && total === (rowCount * (rowCount - 1)) / 2 ? 0 : 1)
}
