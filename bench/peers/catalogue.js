// Who is measured: the names that options and tables use, and the module behind each; peer.js runs them.

/**
 * What a module of this folder exports as `openPeer`. One process holds one peer, and runs one question at a time.
 *
 * @typedef {object} Peer
 * @property {string} version
 * @property {(data: import('../groupby/data.js').GroupByData) => Promise<{ byteLength?: number }>} load takes the data into the
 *   peer's own store (ours whatever columns there are, others all of them); `byteLength` is that store's size where the peer knows it
 * @property {(question: import('../groupby/questions.js').Question) => Promise<RawAnswer>} run resolves with the answer in hand, in
 *   the peer's own form
 * @property {() => Promise<void>} close
 * @property {{ load: (rowCount: number, seed: number, names: string[]) => Promise<{ loadMs: number, byteLength: number }>,
 *   ask: (id: string, expected: string) => Promise<import('../groupby/ask.js').Run> }} [elsewhere] in the place of `load` and `run` where the peer is
 *   not in this process, so makes the data, times and checks where it is
 *
 * @typedef {object} RawAnswer
 * @property {number} rowCount
 * @property {(name: string) => Promise<ArrayLike<unknown>> | ArrayLike<unknown>} column a column of the answer as JavaScript values: keys as strings
 *   or numbers, outputs as numbers or bigints; `largest` as lists, or as numbers in an answer with a row for each
 *
 * @typedef {object} PeerEntry
 * @property {string} id
 * @property {string} family what `--peers` names; `millrace` is chosen by `--lanes`
 * @property {string} label the heading of its column
 * @property {string} module relative to this file
 * @property {Record<string, unknown>} options handed to `openPeer`
 * @property {boolean} isNative compiled for the machine, so one of the engines that the targets are set against
 * @property {number} bytesPerRow what its process may hold once it has answered q10, for each row of the table: measured; half of it before
 * @property {boolean} isExact whether its answers must be right to the last bit, with groups in order of first appearance
 */

/** @type {PeerEntry[]} */
const entries = [
  peer('duckdb', 'VARCHAR', './duckdb.js', { strings: 'varchar' }, true, 500),
  peer('duckdb', 'ENUM', './duckdb.js', { strings: 'enum' }, true, 300),
  peer('polars', 'strings', './polars.js', { strings: 'string' }, true, 300),
  peer('polars', 'categories', './polars.js', { strings: 'category' }, true, 300),
  peer('chdb', 'String', './chdb.js', { strings: 'string' }, true, 500),
  peer('chdb', 'LowCardinality', './chdb.js', { strings: 'low-cardinality' }, true, 500),
  peer('duckdb-wasm', 'VARCHAR', './duckdb-wasm.js', { strings: 'varchar' }, false, 450),
  peer('duckdb-wasm', 'ENUM', './duckdb-wasm.js', { strings: 'enum' }, false, 450),
  peer('arquero', '', './arquero.js', {}, false, 500),
]

/** The families that `--peers` may name. */
export const peerFamilies = [...new Set(entries.map(entry => entry.family))]

/**
 * @param {{ families: string[], lanes: number[], threads: number, baseline?: string }} choice `baseline` is the path of another
 *   build's entry, measured beside this one's
 * @returns {PeerEntry[]} Millrace first, then the others
 */
export function choosePeers({ families, lanes, threads, baseline }) {
  const ours = lanes.map(count => millrace('millrace', count, './millrace.js'))
  const before = baseline ? lanes.map(count => millrace('baseline', count, './millrace.js', baseline)) : []
  const others = entries
    .filter(entry => families.includes(entry.family))
    .map(entry => ({ ...entry, options: { ...entry.options, threads } }))
  return [...ours, ...before, ...others]
}

/**
 * Millrace in Node and in a page, side by side.
 *
 * @param {number[]} lanes
 * @returns {PeerEntry[]}
 */
export function chooseBrowser(lanes) {
  return [
    ...lanes.map(count => millrace('millrace', count, './millrace.js')),
    ...lanes.map(count => millrace('chromium', count, './chromium.js')),
  ]
}

function millrace(family, lanes, module, entry) {
  const label = `${family} ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`
  return {
    id: `${family}:${lanes}`,
    family,
    label,
    module,
    options: { lanes, entry },
    isNative: false,
    bytesPerRow: lanes < 2 ? 250 : 400,
    isExact: true,
  }
}

function peer(family, encoding, module, options, isNative, bytesPerRow) {
  const id = encoding ? `${family}:${encoding.toLowerCase()}` : family
  const label = encoding ? `${family} ${encoding}` : family
  return { id, family, label, module, options, isNative, bytesPerRow, isExact: false }
}
