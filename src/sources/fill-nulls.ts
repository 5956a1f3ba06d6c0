/**
 * The stage of `fillNull` with methods that go by the order of rows. A batch waits until what stands in for its last nulls is known: where a column is null to its end, until that.
 */
import { concatVectors } from '../columnar/concat.js'
import { RecordBatch } from '../columnar/record-batch.js'
import { float64, nullable, type SchemaShape } from '../columnar/type.js'
import { clearBit, getBit, setBit } from '../columnar/validity.js'
import { dataOf, isNullAt, makeVector, sliceVector, type Vector } from '../columnar/vector.js'
import { type FillMethod, filledSchema } from './filled-schema.js'
import type { RowStage } from './stage.js'

/** How a column's nulls are filled: `mean` by that value, or not at all where it is null. */
export type Filling =
  | { readonly method: Exclude<FillMethod, 'mean'> }
  | { readonly method: 'mean'; readonly mean: number | null }

/** A value, as a vector of one row, and its row among all. */
interface Known {
  readonly vector: Vector
  readonly row: number
}

/** A column of a batch that waits, and what is known around it. */
interface Waiting {
  readonly vector: Vector
  readonly before: Known | null
  after: Known | null
  isReady: boolean
}

interface WaitingBatch {
  readonly batch: RecordBatch
  readonly firstRow: number
  readonly columns: readonly (Waiting | null)[]
}

export function fillStage(fillings: ReadonlyMap<string, Filling>): RowStage {
  const methods = new Map([...fillings].map(([name, { method }]) => [name, method]))
  const output = (input: SchemaShape) => filledSchema(input, methods)
  return {
    output,
    async *run(batches, input) {
      const schema = output(input)
      const ways = Object.keys(input).map(name => fillings.get(name) ?? null)
      const last: (Known | null)[] = ways.map(() => null)
      const queue: WaitingBatch[] = []
      let firstRow = 0
      for await (const batch of batches) {
        const columns = ways.map((way, c): Waiting | null => {
          const vector = batch.vectors[c]
          if (way === null || way.method === 'mean') return null
          const [first, final] = [knownAt(vector, firstRow, 1), knownAt(vector, firstRow, -1)]
          for (let i = queue.length - 1; first !== null && i >= 0; i--) {
            const earlier = queue[i].columns[c] as Waiting
            if (earlier.isReady) break
            earlier.after = first
            earlier.isReady = true
          }
          const before = last[c]
          if (final !== null) last[c] = final
          const isOpen = way.method !== 'previous' && vector.length > 0 && isNullAt(vector, vector.length - 1)
          return { vector, before, after: null, isReady: !isOpen }
        })
        queue.push({ batch, firstRow, columns })
        firstRow += batch.rowCount
        while (queue.length > 0 && queue[0].columns.every(column => column?.isReady ?? true))
          yield filled(queue.shift() as WaitingBatch, ways, schema)
      }
      for (const each of queue) yield filled(each, ways, schema)
    },
  }
}

/** The first value, or the last one. */
function knownAt(vector: Vector, firstRow: number, step: 1 | -1): Known | null {
  if (vector.nullCount === vector.length) return null
  let i = step === 1 ? 0 : vector.length - 1
  while (isNullAt(vector, i)) i += step
  return { vector: sliceVector(vector, i, i + 1), row: firstRow + i }
}

function filled(
  { batch, firstRow, columns }: WaitingBatch,
  ways: readonly (Filling | null)[],
  schema: SchemaShape,
): RecordBatch {
  const vectors = batch.vectors.map((vector, c) => {
    const way = ways[c]
    if (way === null) return vector
    if (way.method === 'mean') return withMean(vector, way.mean)
    const { before, after } = columns[c] as Waiting
    if (way.method === 'linear') return interpolated(vector, firstRow, before, after)
    if (vector.nullCount === 0) return vector
    return way.method === 'previous' ? carried(vector, before, 1) : carried(vector, after, -1)
  })
  return new RecordBatch(schema, vectors, batch.rowCount)
}

/** Each null has the value before it, or with a step of -1 the one after it; `edge` lies beyond that end. */
function carried(vector: Vector, edge: Known | null, step: 1 | -1): Vector {
  const { length } = vector
  const parts = edge === null ? [vector] : step === 1 ? [edge.vector, vector] : [vector, edge.vector]
  // Plain strings are coded by being put together, be it with none.
  const whole = concatVectors(vector.offsets === null ? parts : [...parts, sliceVector(vector, 0, 0)])
  const shift = edge !== null && step === 1 ? 1 : 0
  const validity = (whole.validity as Uint8Array).slice()
  const isBool = whole.type.kind === 'bool'
  const data = dataOf(whole).slice()
  const bits = data as Uint8Array
  const cells = data as Float64Array
  let nullCount = whole.nullCount
  const from = step === 1 ? 1 : whole.length - 2
  const to = step === 1 ? whole.length : -1
  for (let i = from; i !== to; i += step) {
    if (getBit(validity, i) || !getBit(validity, i - step)) continue
    if (!isBool) cells[i] = cells[i - step]
    else if (getBit(bits, i - step)) setBit(bits, i)
    else clearBit(bits, i)
    setBit(validity, i)
    nullCount--
  }
  const made = makeVector(whole.type, whole.length, data, {
    validity: nullCount === 0 ? null : validity,
    nullCount,
    dictionary: whole.dictionary,
  })
  return sliceVector(made, shift, shift + length)
}

const numbersOf = (vector: Vector): Float64Array => Float64Array.from(dataOf(vector) as ArrayLike<number>, Number)

function floats(vector: Vector, data: Float64Array, validity: Uint8Array | null, nullCount: number): Vector {
  const type = vector.type.nullable ? nullable(float64()) : float64()
  return makeVector(type, vector.length, data, { validity: nullCount === 0 ? null : validity, nullCount })
}

function withMean(vector: Vector, mean: number | null): Vector {
  const data = numbersOf(vector)
  const { validity, nullCount } = vector
  if (nullCount === 0 || mean === null) return floats(vector, data, validity, nullCount)
  for (let i = 0; i < data.length; i++) if (isNullAt(vector, i)) data[i] = mean
  return floats(vector, data, null, 0)
}

/** Nulls between two values lie on the line between them, rows being equally far apart; others stay. */
function interpolated(vector: Vector, firstRow: number, before: Known | null, after: Known | null): Vector {
  const data = numbersOf(vector)
  if (vector.nullCount === 0) return floats(vector, data, null, 0)
  const validity = (vector.validity as Uint8Array).slice()
  let { nullCount } = vector
  const end = after === null ? null : { row: after.row - firstRow, value: Number(after.vector.data[0]) }
  let left = before === null ? null : { row: before.row - firstRow, value: Number(before.vector.data[0]) }
  let i = 0
  while (i < data.length) {
    if (!isNullAt(vector, i)) {
      left = { row: i, value: data[i] }
      i++
      continue
    }
    let to = i
    while (to < data.length && isNullAt(vector, to)) to++
    const right = to < data.length ? { row: to, value: data[to] } : end
    if (left !== null && right !== null) {
      const rise = right.value - left.value
      for (let row = i; row < to; row++) {
        const part = (row - left.row) / (right.row - left.row)
        // Beyond float64 may be how far the values are from one another, and not what lies between them.
        data[row] = Number.isFinite(rise) ? left.value + rise * part : left.value * (1 - part) + right.value * part
        setBit(validity, row)
      }
      nullCount -= to - i
    }
    i = to
  }
  return floats(vector, data, validity, nullCount)
}
