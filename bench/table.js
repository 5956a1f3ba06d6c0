// Tables in Markdown that also read well in a terminal, and the forms of the numbers in them.

/**
 * @param {string[]} headings the first column is text, the others are numbers
 * @param {string[][]} rows
 * @returns {string} lines without an end of line after the last
 */
export function markdownTable(headings, rows) {
  const widths = headings.map((heading, i) => Math.max(3, heading.length, ...rows.map(row => row[i].length)))
  const line = cells =>
    `| ${cells.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [line(headings), rule, ...rows.map(line)].join('\n')
}

/** Milliseconds with as many digits as mean anything. */
export function formatMs(ms) {
  return ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : Math.round(ms).toString()
}

/** A ratio, or an en dash where there is none. */
export function formatRatio(ratio) {
  if (ratio === null || !Number.isFinite(ratio)) return '–'
  return ratio < 0.1 ? ratio.toFixed(3) : ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)
}

/** Bytes in millions. */
export function formatMegabytes(byteLength) {
  return (byteLength / 1e6).toFixed(byteLength < 1e7 ? 1 : 0)
}

/** A count with separators between thousands. */
export function formatCount(count) {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}
