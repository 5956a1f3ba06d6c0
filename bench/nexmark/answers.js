// Answers to Nexmark's queries in one form, whoever gave them: rows without their order, numbers to ten digits.

import { createHash } from 'node:crypto'

/** The events that answers are kept of: over four windows of ten seconds, in some disorder, of several days were they not all of one. */
export const checkedEvents = { events: 20_000, options: { seed: 42, rate: 500, disorder: 100 } }

/** A row as text; auctions that are equally hot are in no order. */
export function rowText(row) {
  const texts = Object.entries(row).map(([name, value]) => {
    if (name === 'auctions' && typeof value === 'string') return value.split(',').sort().join(',')
    return cellText(value)
  })
  return texts.join('|')
}

function cellText(value) {
  if (Array.isArray(value)) return `[${value.map(cellText).join(',')}]`
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)))
  return value === null ? 'null' : JSON.stringify(value)
}

/** @param {string[]} texts of rows */
export function digest(texts) {
  const sorted = texts.toSorted()
  return {
    rows: sorted.length,
    sha256: createHash('sha256').update(sorted.join('\n')).digest('hex'),
    first: sorted.slice(0, 2),
  }
}
