/** Groups with noise in the place of exact results: the calling thread's half of private aggregates, over what lanes have counted and summed. A chunk of its own. */
import type { ColumnsInput } from '../columnar/infer.js'
import { openColumns } from '../columnar/input.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { schemaOf } from '../columnar/schema.js'
import { Table } from '../columnar/table.js'
import type { SchemaShape } from '../columnar/type.js'
import { isNullAt, type Vector } from '../columnar/vector.js'
import { MillraceError, quote } from '../errors.js'
import {
  discreteGaussian,
  discreteLaplace,
  type RandomBytes,
  type RandomInteger,
  randomIntegers,
  rationalOf,
} from './discrete-noise.js'

/** What one row may change at most, in units of the grid, and what hides it. Without `delta` noise is Laplace's, with it Gauss's. */
export interface Noise {
  /** Whole, above 0. */
  readonly sensitivity: number
  readonly epsilon: number
  readonly delta: number
}

/** A column that is published. Sums lie on a grid: whole numbers of `unit`, a power of two. */
export type NoisyColumn =
  | { readonly kind: 'count'; readonly name: string; readonly of: string; readonly noise: Noise }
  | { readonly kind: 'sum'; readonly name: string; readonly of: string; readonly unit: number; readonly noise: Noise }
  /** Of distances from the middle, which is one too. */
  | {
      readonly kind: 'mean'
      readonly name: string
      readonly of: string
      readonly count: string
      readonly unit: number
      readonly middle: number
      readonly lower: number
      readonly upper: number
      readonly noise: Noise
      readonly countNoise: Noise
    }

/** Which groups come out. */
export type GroupChoice =
  /** All there are: there is one, or they are public, and rows of none have null sums. */
  | { readonly kind: 'all'; readonly keys: readonly string[] }
  /** Those with enough rows, by this column of counts and noise: a column of the name says whether, and a group of one row has them with probability `delta` at most. */
  | {
      readonly kind: 'enough'
      readonly count: string
      readonly name: string
      readonly epsilon: number
      readonly delta: number
    }

export interface NoisyPlan {
  readonly columns: readonly NoisyColumn[]
  readonly choice: GroupChoice
  /** Columns of the input that are gone afterwards. */
  readonly hidden: readonly string[]
}

/** Groups between which other work of this thread is let in. */
const GROUPS_AT_A_TIME = 8192

/**
 * @param schema what comes out: columns of the table that stay, those of the plan, and whether a group is kept
 * @throws MillraceError `MR_INVALID_OPTION` for a public group that is null, before anything is random
 */
export async function noisyTable(
  table: Table,
  plan: NoisyPlan,
  schema: SchemaShape,
  fill: RandomBytes,
): Promise<Table> {
  const { columns, choice } = plan
  if (choice.kind === 'all') checkPublic(table, choice.keys)
  const random = randomIntegers(fill)
  const names = columns.map(({ name }) => name)
  if (choice.kind === 'enough') names.push(choice.name)
  const own = schemaOf(names.map(name => ({ name, type: schema[name] })))
  const batches: RecordBatch[] = []
  for (const batch of table.batches) {
    const made: ((row: number) => unknown)[] = columns.map(column => valuesOf(batch, column, random))
    if (choice.kind === 'enough') made.push(enough(batch, choice, random))
    const values = made.map((): unknown[] => [])
    for (let row = 0; row < batch.rowCount; row++) {
      if (row % GROUPS_AT_A_TIME === 0) await new Promise(resolve => setTimeout(resolve))
      for (let c = 0; c < made.length; c++) values[c].push(made[c](row))
    }
    const noisy = openColumns(Object.fromEntries(names.map((name, c) => [name, values[c]])) as ColumnsInput, own)
    const read = noisy.read(0, batch.rowCount)
    const vectors = Object.keys(schema).map(name => vectorOf(Object.hasOwn(own, name) ? read : batch, name))
    batches.push(new RecordBatch(schema, vectors, batch.rowCount))
  }
  return new Table(schema, batches)
}

/** A column's values, each with noise of its own. Called once for each row. */
function valuesOf(batch: RecordBatch, column: NoisyColumn, random: RandomInteger): (row: number) => number | bigint {
  const value = exactValues(batch, column.of)
  const noise = noiseSource(column.noise, random)
  if (column.kind === 'count') return row => value(row) + noise()
  // A power of two rounds nothing.
  const { unit } = column
  if (column.kind === 'sum') return row => Number(value(row) + noise()) * unit
  const { middle, lower, upper } = column
  const count = exactValues(batch, column.count)
  const countNoise = noiseSource(column.countNoise, random)
  return row => {
    const total = Number(value(row) + noise()) * unit
    const rows = Math.max(1, Number(count(row) + countNoise()))
    return Math.min(upper, Math.max(lower, middle + total / rows))
  }
}

/** Where there are no rows there is none, or 0. */
function exactValues(batch: RecordBatch, name: string): (row: number) => bigint {
  const vector = vectorOf(batch, name)
  const values = vector.data as BigInt64Array
  return row => (isNullAt(vector, row) ? 0n : values[row])
}

const vectorOf = ({ schema, vectors }: RecordBatch, name: string): Vector => vectors[Object.keys(schema).indexOf(name)]

function noiseSource({ sensitivity, epsilon, delta }: Noise, random: RandomInteger): () => bigint {
  if (delta > 0) {
    const variance = rationalOf(gaussianVariance(sensitivity, epsilon, delta))
    return () => discreteGaussian(variance, random)
  }
  const { numerator, denominator } = rationalOf(epsilon)
  const scale = { numerator: BigInt(sensitivity) * denominator, denominator: numerator }
  return () => discreteLaplace(scale, random)
}

/**
 * The variance of discrete Gaussian noise that hides a change of `sensitivity`: it gives rho-concentrated privacy with rho = sensitivity^2 / (2 variance), and that
 * (rho + 2 sqrt(rho ln(1 / delta)), delta) (M. Bun, T. Steinke 2016), whose first is to be epsilon.
 */
function gaussianVariance(sensitivity: number, epsilon: number, delta: number): number {
  const log = -Math.log(delta)
  // sqrt(log + epsilon) - sqrt(log), which loses no digits so.
  const root = epsilon / (Math.sqrt(log + epsilon) + Math.sqrt(log))
  // More noise than rounding may have taken.
  return (sensitivity ** 2 / (2 * root ** 2)) * (1 + 1e-9)
}

/**
 * Whether a count and noise reach 1 + m, where noise alone reaches m with probability exp(-epsilon m) / (1 + exp(-epsilon)), at most delta
 * (A. Korolova et al. 2009, for integers).
 */
function enough(
  batch: RecordBatch,
  { count, epsilon, delta }: GroupChoice & { kind: 'enough' },
  random: RandomInteger,
): (row: number) => boolean {
  const margin = -Math.log(delta * (1 + Math.exp(-epsilon))) / epsilon
  const least = 1n + BigInt(Math.max(1, Math.ceil(margin * (1 + 1e-9))))
  const rows = exactValues(batch, count)
  const noise = noiseSource({ sensitivity: 1, epsilon, delta: 0 }, random)
  return row => rows(row) + noise() >= least
}

function checkPublic(table: Table, keys: readonly string[]): void {
  const name = keys.find(key => table.column(key).nullCount > 0)
  if (name === undefined) return
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `publicGroups: a group of the public ones is null in ${quote(name)}, and rows go to groups by keys that are not; fill nulls on both sides first`,
    { operator: 'publicGroups', column: name },
  )
}
