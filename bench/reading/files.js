// The files that are read: the group-by table as CSV and as NDJSON, written once and kept in the system's temporary folder, and what is in them.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupByBlocks, keyDigits, SMALL_KEYS } from '../groupby/data.js'
import { exactSums, roundedQuotient, VALUE_EXPONENT } from '../groupby/exact.js'
import { columnNames, isTextKey } from '../groupby/questions.js'

/** Raised when the same rows come to be written otherwise: files of before are not what they were. */
const VERSION = 1
const folder = join(tmpdir(), 'millrace-bench')

/**
 * @typedef {'csv' | 'ndjson'} Format
 * @typedef {object} Facts what the rows come to
 * @property {number} rowCount
 * @property {Record<string, number>} sums of each column but v3; of a string key, the sum of the numbers in it
 * @property {number} v3 the exact sum of its float64, rounded once
 * @property {string} millionths the sum of v3 in millionths, which its text is a whole number of: a whole number too, beyond 2^53 perhaps
 * @property {{ v1: number[], v3: number[] }} byId1 by code of id1: the sum of v1, and the exact mean of v3, rounded once
 * @typedef {{ path: string, format: Format, byteLength: number, facts: Facts }} DataFile
 */

/**
 * Finds the file or writes it, and has it in the page cache as far as memory reaches.
 *
 * @param {Format} format
 * @param {number} rowCount
 * @param {number} seed
 * @param {(line: string) => void} log
 * @returns {DataFile}
 */
export function dataFile(format, rowCount, seed, log) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `groupby-${rowCount}-seed${seed}.${format}`)
  const kept = readKept(path)
  if (kept !== null) {
    readThrough(path)
    return { path, format, ...kept }
  }
  log(`writing ${path}`)
  const facts = writeRows(path, format, rowCount, seed)
  const written = { version: VERSION, byteLength: statSync(path).size, facts }
  writeFileSync(`${path}.json`, JSON.stringify(written))
  return { path, format, byteLength: written.byteLength, facts }
}

/** How many rows make a CSV file of about so many bytes: 46 a row and the digits of id6. */
export function rowsOfBytes(byteLength) {
  return Math.round(byteLength / (46 + Math.log10(byteLength / 50 / SMALL_KEYS)))
}

function readKept(path) {
  if (!existsSync(path) || !existsSync(`${path}.json`)) return null
  const { version, byteLength, facts } = JSON.parse(readFileSync(`${path}.json`, 'utf8'))
  return version === VERSION && statSync(path).size === byteLength ? { byteLength, facts } : null
}

function readThrough(path) {
  const file = openSync(path, 'r')
  const block = Buffer.allocUnsafe(1 << 22)
  try {
    while (readSync(file, block) > 0);
  } finally {
    closeSync(file)
  }
}

/**
 * Writes the rows, whole or not at all.
 *
 * @param {string} path
 * @param {Format} format
 * @param {number} rowCount
 * @param {number} seed
 * @returns {Facts}
 */
export function writeRows(path, format, rowCount, seed) {
  const names = columnNames.map(name => (format === 'csv' ? ',' : `,"${name}":`))
  names[0] = format === 'csv' ? '' : names[0].replace(',', '{')
  // What stands before a value: the separator, and of a string key its quotes and letters.
  const heads = names.map((head, c) =>
    Buffer.from(isTextKey(columnNames[c]) ? `${head}${format === 'csv' ? '' : '"'}id` : head),
  )
  const tails = names.map((_, c) => Buffer.from(isTextKey(columnNames[c]) && format !== 'csv' ? '"' : ''))
  const end = Buffer.from(format === 'csv' ? '\n' : '}\n')
  const collect = factCollector()

  const partial = `${path}.partial`
  const file = openSync(partial, 'w')
  try {
    if (format === 'csv') writeSync(file, `${columnNames.join(',')}\n`)
    let buffer = Buffer.allocUnsafe(0)
    for (const { rowCount: rows, columns } of groupByBlocks(rowCount, seed)) {
      collect.block(columns, rows)
      if (buffer.length < rows * 200) buffer = Buffer.allocUnsafe(rows * 200)
      let at = 0
      for (let row = 0; row < rows; row++) {
        for (let c = 0; c < columnNames.length; c++) {
          const name = columnNames[c]
          at = copy(buffer, at, heads[c])
          if (name === 'v3') at = writeMillionths(buffer, at, Math.round(columns.v3[row] * 1e6))
          else if (isTextKey(name)) at = writeDigits(buffer, at, columns[name][row] + 1, keyDigits[name])
          else at = writeDigits(buffer, at, columns[name][row], 1)
          at = copy(buffer, at, tails[c])
        }
        at = copy(buffer, at, end)
      }
      writeSync(file, buffer, 0, at)
    }
    closeSync(file)
    renameSync(partial, path)
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
  return collect.facts(rowCount)
}

function copy(buffer, at, bytes) {
  for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i]
  return at + bytes.length
}

/** With zeros before it, as many digits as `least`. */
function writeDigits(buffer, at, value, least) {
  let digits = 1
  for (let power = 10; power <= value; power *= 10) digits++
  if (digits < least) digits = least
  for (let i = digits - 1; i >= 0; i--) {
    const rest = Math.floor(value / 10)
    buffer[at + i] = 48 + value - 10 * rest
    value = rest
  }
  return at + digits
}

/** The shortest text of a number of millionths, which is that of the float64 nearest to it. */
function writeMillionths(buffer, at, millionths) {
  const whole = Math.floor(millionths / 1e6)
  let fraction = millionths - whole * 1e6
  at = writeDigits(buffer, at, whole, 1)
  if (fraction === 0) return at
  let places = 6
  while (fraction % 10 === 0) {
    fraction /= 10
    places--
  }
  buffer[at] = 46
  return writeDigits(buffer, at + 1, fraction, places)
}

function factCollector() {
  const sums = Object.fromEntries(columnNames.filter(name => name !== 'v3').map(name => [name, 0]))
  const counts = new Array(SMALL_KEYS).fill(0)
  const v1 = new Array(SMALL_KEYS).fill(0)
  const v3 = new Array(SMALL_KEYS).fill(0n)
  let millionths = 0n
  return {
    block(columns, rows) {
      for (const name in sums) {
        const column = columns[name]
        const first = isTextKey(name) ? 1 : 0
        let sum = 0
        for (let row = 0; row < rows; row++) sum += column[row] + first
        sums[name] += sum
      }
      let ofBlock = 0
      for (let row = 0; row < rows; row++) {
        counts[columns.id1[row]]++
        v1[columns.id1[row]] += columns.v1[row]
        ofBlock += Math.round(columns.v3[row] * 1e6)
      }
      millionths += BigInt(ofBlock)
      const sumOf = exactSums(columns.v3.subarray(0, rows), columns.id1, SMALL_KEYS)
      for (let code = 0; code < SMALL_KEYS; code++) v3[code] += sumOf(code)
    },
    /** @returns {Facts} */
    facts: rowCount => ({
      rowCount,
      sums,
      v3: roundedQuotient(
        v3.reduce((total, sum) => total + sum, 0n),
        1n,
        VALUE_EXPONENT,
      ),
      millionths: String(millionths),
      byId1: {
        v1,
        v3: v3.map((sum, code) =>
          counts[code] === 0 ? 0 : roundedQuotient(sum, BigInt(counts[code]), VALUE_EXPONENT),
        ),
      },
    }),
  }
}
