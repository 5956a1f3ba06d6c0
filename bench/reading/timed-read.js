// One file read by one reader: timed, its rows checked and let go; in Node (reader-process.js) and in a page (peers/chromium-page.js).

/**
 * @typedef {{ ms: number, problem: string | null }} Reading milliseconds until the rows were in hand, and what was wrong with them
 */

/** Relative: what a sum of ten million float64, added up one by one, may be off. */
const TOLERANCE = 1e-9

/**
 * @param {Pick<import('./readers.js').Reader, 'read'>} reader
 * @param {import('./files.js').DataFile} file
 * @param {boolean} exact
 * @returns {Promise<Reading>}
 */
export async function timedRead(reader, file, exact) {
  const start = performance.now()
  const rows = await reader.read(file)
  const ms = performance.now() - start
  const problem = await difference(rows, file.facts, exact)
  await rows.release()
  return { ms, problem }
}

async function difference(rows, facts, exact) {
  if (rows.rowCount !== facts.rowCount) return `${rows.rowCount} rows instead of ${facts.rowCount}`
  const sums = await rows.sums()
  for (const name in facts.sums) {
    if (Number(sums[name]) !== facts.sums[name])
      return `${name} sums up to ${sums[name]} instead of ${facts.sums[name]}`
  }
  if ('millionths' in sums) {
    if (BigInt(sums.millionths) !== BigInt(facts.millionths))
      return `v3 sums up to ${sums.millionths} millionths instead of ${facts.millionths}`
  }
  if ('v3' in sums || !('millionths' in sums)) {
    const v3 = Number(sums.v3)
    const isNear = exact ? v3 === facts.v3 : Math.abs(v3 - facts.v3) <= TOLERANCE * facts.v3
    if (!isNear) return `v3 sums up to ${sums.v3} instead of ${facts.v3}`
  }
  return null
}
