// The columns that are computed, in the words of each engine, over the table of the group-by benchmark (../groupby/data.js).

/**
 * @typedef {object} ComputedColumn
 * @property {string} name
 * @property {string[]} inputs
 * @property {(t: any) => any} ours
 * @property {string} sql
 * @property {(col: (name: string) => any, pl: any) => any} polars
 * @property {(row: Record<string, number>) => number} exact what a row's value is
 */

/** @type {ComputedColumn[]} */
export const computedColumns = [
  {
    name: 'weighted',
    inputs: ['v3', 'v1', 'v2'],
    ours: t => t.v3.mul(t.v1).add(t.v2),
    sql: 'v3 * v1 + v2',
    polars: col => col('v3').mul(col('v1')).add(col('v2')),
    exact: ({ v1, v2, v3 }) => v3 * v1 + v2,
  },
  {
    name: 'ratio',
    inputs: ['v3', 'v1', 'v2'],
    ours: t => t.v3.sub(t.v1).div(t.v2),
    sql: '(v3 - v1) / v2',
    polars: col => col('v3').sub(col('v1')).div(col('v2')),
    exact: ({ v1, v2, v3 }) => (v3 - v1) / v2,
  },
  {
    name: 'points',
    inputs: ['v1', 'v2', 'id6'],
    ours: t => t.v1.mul(t.v2).sub(t.id6),
    sql: 'v1::BIGINT * v2 - id6',
    polars: (col, pl) => col('v1').cast(pl.Int64).mul(col('v2')).sub(col('id6')),
    exact: ({ v1, v2, id6 }) => v1 * v2 - id6,
  },
  {
    name: 'rounded',
    inputs: ['v3', 'v2'],
    ours: t => t.v3.mul(t.v2).round(2),
    sql: 'round(v3 * v2, 2)',
    polars: col => col('v3').mul(col('v2')).round(2),
    exact: ({ v2, v3 }) => Math.round(v3 * v2 * 100) / 100,
  },
  {
    name: 'bounded',
    inputs: ['v3'],
    ours: t => t.v3.sub(50).clamp(-25, 25),
    sql: 'greatest(-25, least(25, v3 - 50))',
    polars: col => col('v3').sub(50).clip(-25, 25),
    exact: ({ v3 }) => Math.max(-25, Math.min(25, v3 - 50)),
  },
]

/** The columns of the table that these read. */
export const inputNames = [...new Set(computedColumns.flatMap(({ inputs }) => inputs))]

/** The sum of each computed column, as JavaScript has it: answers are held against it. */
export function expectedSums({ rowCount, columns }) {
  const sums = computedColumns.map(() => 0)
  const row = {}
  for (let i = 0; i < rowCount; i++) {
    for (const name of inputNames) row[name] = columns[name][i]
    for (const [c, { exact }] of computedColumns.entries()) sums[c] += exact(row)
  }
  return sums
}
