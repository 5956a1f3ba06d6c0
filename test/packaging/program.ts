// The program that the suites of this folder run against the packed library, and what it must answer.

/** Imports from `specifier`, and ends before anything runs: the suites put `configure` calls after it. */
export const programHead = (specifier = 'millrace') => `
import { configure, count, float64, int32, rows, schema, sum } from '${specifier}'

const trade = schema({ symbol: int32(), price: float64() })
const input = Array.from({ length: 1000 }, (_, i) => ({ symbol: i % 3, price: i / 4 }))
`

/** Leaves its answer in `table`. */
export const programBody = `
const table = await rows(input, trade)
  .filter(t => t.price.gte(1))
  .groupBy('symbol')
  .aggregate(t => ({ trades: count(), volume: sum(t.price) }))
  .orderBy('symbol')
  .collect({ lanes: 2 })
`

export const expectedRows = [0, 1, 2].map(symbol => {
  const prices = Array.from({ length: 1000 }, (_, i) => i).filter(i => i % 3 === symbol && i / 4 >= 1)
  return { symbol, trades: prices.length, volume: prices.reduce((total, i) => total + i / 4, 0) }
})
