// Who reads: the names that options and tables use, and the module behind each; suite.js runs them in processes of their own.

/**
 * What a module of ./peers exports as `openReader`. One process holds one reader, which reads one file at a time.
 *
 * @typedef {object} Reader
 * @property {string} version
 * @property {(file: import('./files.js').DataFile) => Promise<Rows>} read resolves with all rows in hand, in the reader's own form and of the right types
 * @property {() => Promise<void>} close
 * @property {(file: import('./files.js').DataFile) => Promise<import('./timed-read.js').Reading>} [elsewhere] in the place of `read` where the
 *   reader is not in this process, or something comes before it that is not timed; times and checks where it is
 *
 * @typedef {object} Rows
 * @property {number} rowCount
 * @property {() => Promise<Record<string, number | bigint>> | Record<string, number | bigint>} sums of all columns, v3 as a float64 or as `millionths`; of
 *   a string key the numbers in it; not timed
 * @property {() => Promise<void> | void} release lets go of the rows
 *
 * @typedef {object} ReaderEntry
 * @property {string} id
 * @property {string} family what `--readers` names; `millrace` is chosen by `--lanes`
 * @property {string} label
 * @property {string} module relative to this file
 * @property {Record<string, unknown>} options handed to `openReader`
 * @property {import('./files.js').Format[]} formats that it reads
 * @property {boolean} isNative compiled for the machine
 * @property {boolean} isSlow read at the smaller size only
 * @property {boolean} isExact whether its sum of v3 must be right to the last bit
 * @property {number} bytesPerRow what its process may hold for each row: measured, roughly
 */

/** @type {ReaderEntry[]} */
const entries = [
  reader('polars', 'polars', ['csv', 'ndjson'], { isNative: true, bytesPerRow: 250 }),
  reader('duckdb', 'duckdb', ['csv', 'ndjson'], { isNative: true, bytesPerRow: 150 }),
  reader('duckdb-wasm', 'duckdb-wasm', ['csv'], { bytesPerRow: 250 }),
  reader('udsv', 'uDSV', ['csv'], { isSlow: true, bytesPerRow: 800 }),
  reader('d3-dsv', 'd3-dsv', ['csv'], { isSlow: true, bytesPerRow: 800 }),
  reader('papaparse', 'PapaParse', ['csv'], { isSlow: true, bytesPerRow: 800 }),
  reader('csv-parse', 'csv-parse', ['csv'], { isSlow: true, bytesPerRow: 800 }),
  reader('json-parse', 'JSON.parse, line by line', ['ndjson'], { isSlow: true, bytesPerRow: 800 }),
]

export const readerFamilies = entries.map(({ family }) => family)

/**
 * @param {{ families: string[], lanes: number[], threads: number }} choice
 * @returns {ReaderEntry[]} Millrace first: with each number of lanes, into the lanes and into a table
 */
export function chooseReaders({ families, lanes, threads }) {
  return [
    ...lanes.map(count => millrace('millrace', count, 'load', './peers/millrace.js')),
    ...lanes.map(count => millrace('millrace', count, 'collect', './peers/millrace.js')),
    ...entries
      .filter(({ family }) => families.includes(family))
      .map(entry => ({ ...entry, options: { ...entry.options, threads } })),
  ]
}

/**
 * Millrace in Node, given a path and given a `Blob`, and in a page, given a `File`, side by side: all read into their lanes.
 *
 * @param {number[]} lanes
 * @returns {ReaderEntry[]}
 */
export function chooseBrowserReaders(lanes) {
  return [
    ...lanes.map(count => millrace('millrace', count, 'load', './peers/millrace.js')),
    ...lanes.map(count => blobReader(count)),
    ...lanes.map(count => millrace('chromium', count, 'load', './peers/chromium.js')),
  ]
}

function millrace(family, lanes, way, module) {
  return {
    id: `${family}:${lanes}:${way}`,
    family,
    label: `${family} ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}, ${way}`,
    module,
    options: { lanes, way },
    formats: /** @type {import('./files.js').Format[]} */ (['csv', 'ndjson']),
    isNative: false,
    isSlow: false,
    isExact: true,
    bytesPerRow: way === 'load' ? 100 : 200,
  }
}

function blobReader(count) {
  const entry = millrace('millrace-blob', count, 'load', './peers/millrace.js')
  return { ...entry, options: { ...entry.options, isBlob: true } }
}

function reader(family, label, formats, { isNative = false, isSlow = false, bytesPerRow }) {
  const module = `./peers/${family}.js`
  return { id: family, family, label, module, options: {}, formats, isNative, isSlow, isExact: false, bytesPerRow }
}
