// The options of `npm run bench`, read and checked.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { questions } from './groupby/questions.js'
import { peerFamilies } from './peers/catalogue.js'
import { readerFamilies } from './reading/readers.js'

const suites = [
  'groupby',
  'joins',
  'browser',
  'scaling',
  'memory',
  'expressions',
  'strings',
  'sorting',
  'reading',
  'reading-browser',
  'reading-memory',
  'live',
  'kernels',
  'start',
  'size',
]

/** Only where it is asked for: a file of ten gigabytes is written first. */
const byHand = ['reading-memory']

export const usage = `npm run bench -- [options]

  --suites NAMES                what to measure, of ${suites.join(', ')} (all but ${byHand.join(', ')})
  --rows 1e6,1e7                sizes of the group-by table, and of those that columns are computed of and that are sorted
  --join-rows 1e6,1e7           sizes of the table that others are joined to
  --questions q1,q3             questions of the group-by benchmark (all of ${questions.map(({ id }) => id).join(',')})
  --peers duckdb,polars,duckdb-wasm   of ${peerFamilies.join(', ')}, or none (arquero is slow and chdb large, so neither is asked by default)
  --lanes 0,1,2                 lanes of Millrace, each measured, or none
  --runs 5                      warm rounds; a cold one comes first
  --threads 2                   threads of a native peer
  --kernel-rows 1e7             rows that kernels are measured over
  --scaling-rows 1e5,1e6,1e7    sizes of the table whose cost per row is compared (1e8 needs some 8 GB)
  --memory-rows 1e7             rows of the table whose memory is measured
  --reading-rows 1e6,1e7        sizes of the table that is read from CSV and NDJSON
  --slow-rows 1e6               the most rows that slow readers read
  --readers polars,duckdb       who else reads, of ${readerFamilies.join(', ')} (all), or none
  --reading-bytes 1e10          size of the CSV file that is aggregated within a budget
  --live-events 1e7             events that windows are made of
  --nexmark-events 2e6          events of each of Nexmark's queries
  --live-seconds 10             how long latency is measured, and again while more comes
  --seed 1                      seed of the data
  --limit 120                   seconds that a peer may take for one load or question
  --baseline FILE               another build's entry (dist/node/index.js), measured beside this one
  --output FILE                 where the tables go (bench/results.md)
  --help`

/**
 * @typedef {object} Options
 * @property {string[]} suites
 * @property {number[]} rows
 * @property {number[]} joinRows
 * @property {string[]} questions
 * @property {string[]} families
 * @property {number[]} lanes
 * @property {number} runs
 * @property {number} threads
 * @property {number} kernelRows
 * @property {number[]} scalingRows
 * @property {number} memoryRows
 * @property {number[]} readingRows
 * @property {number} slowRows
 * @property {string[]} readers
 * @property {number} readingBytes
 * @property {number} liveEvents
 * @property {number} nexmarkEvents
 * @property {number} liveSeconds
 * @property {number} seed
 * @property {number} limitMs
 * @property {string} [baseline] absolute path
 * @property {URL} output
 * @property {boolean} help
 */

/**
 * @param {string[]} args
 * @returns {{ options: Options, problem: null } | { options: null, problem: string }}
 */
export function parseOptions(args) {
  try {
    return { options: read(args), problem: null }
  } catch (error) {
    return { options: null, problem: error.message }
  }
}

function read(args) {
  const text = fallback => ({ type: /** @type {const} */ ('string'), default: fallback })
  const { values } = parseArgs({
    args,
    options: {
      suites: text(suites.filter(name => !byHand.includes(name)).join(',')),
      rows: text('1e6,1e7'),
      'join-rows': text('1e6,1e7'),
      questions: text(questions.map(({ id }) => id).join(',')),
      peers: text('duckdb,polars,duckdb-wasm'),
      lanes: text('0,1,2'),
      runs: text('5'),
      threads: text('2'),
      'kernel-rows': text('1e7'),
      'scaling-rows': text('1e5,1e6,1e7'),
      'memory-rows': text('1e7'),
      'reading-rows': text('1e6,1e7'),
      'slow-rows': text('1e6'),
      readers: text(readerFamilies.join(',')),
      'reading-bytes': text('1e10'),
      'live-events': text('1e7'),
      'nexmark-events': text('2e6'),
      'live-seconds': text('10'),
      seed: text('1'),
      limit: text('120'),
      baseline: { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const here = path => pathToFileURL(resolve(path))
  return {
    suites: names('suites', values.suites, suites),
    rows: numbers('rows', values.rows, 100),
    joinRows: numbers('join-rows', values['join-rows'], 1000),
    questions: names(
      'questions',
      values.questions,
      questions.map(({ id }) => id),
    ),
    families: names('peers', values.peers, peerFamilies),
    lanes: numbers('lanes', values.lanes, 0),
    runs: number('runs', values.runs, 1),
    threads: number('threads', values.threads, 1),
    kernelRows: number('kernel-rows', values['kernel-rows'], 10_000),
    scalingRows: numbers('scaling-rows', values['scaling-rows'], 100).sort((a, b) => a - b),
    memoryRows: number('memory-rows', values['memory-rows'], 1000),
    readingRows: numbers('reading-rows', values['reading-rows'], 1000),
    slowRows: number('slow-rows', values['slow-rows'], 0),
    readers: names('readers', values.readers, readerFamilies),
    readingBytes: number('reading-bytes', values['reading-bytes'], 1e5),
    liveEvents: number('live-events', values['live-events'], 1000),
    nexmarkEvents: number('nexmark-events', values['nexmark-events'], 1000),
    liveSeconds: number('live-seconds', values['live-seconds'], 1),
    seed: number('seed', values.seed, 0),
    limitMs: number('limit', values.limit, 1) * 1000,
    baseline: values.baseline && resolve(values.baseline),
    output: values.output ? here(values.output) : new URL('./results.md', import.meta.url),
    help: values.help,
  }
}

function list(text) {
  return text === 'none' ? [] : text.split(',').filter(Boolean)
}

function names(option, text, known) {
  const given = list(text)
  const unknown = given.find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(`--${option}: there is no ${unknown}; choose of ${known.join(', ')}`)
  return given
}

function numbers(option, text, least) {
  return list(text).map(item => number(option, item, least))
}

function number(option, text, least) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${option}: ${text} is no whole number from ${least} up`)
  return value
}
