/** Tables of the model as vectors: in batches cut anywhere, with strings as codes into dictionaries of every kind, or plain. */
import { createBuilder } from '../../../src/columnar/builder.js'
import { Dictionary } from '../../../src/columnar/dictionary.js'
import type { DataType, SchemaShape } from '../../../src/columnar/type.js'
import { makeVector, sliceVector, type Vector, type VectorBatch } from '../../../src/columnar/vector.js'
import { schemaOf } from '../../laws/carriers.js'
import type { Choices } from '../../laws/choices.js'
import { toJavaScript } from '../../oracle/javascript.js'
import type { ModelTable, Value } from '../../oracle/value.js'

export interface Batches {
  readonly schema: SchemaShape
  readonly batches: readonly VectorBatch[]
}

export function batchesOf({ fields, rows }: ModelTable, choices: Choices): Batches {
  const schema = schemaOf(fields)
  const builders = fields.map(({ name }) => createBuilder(schema[name] as DataType, name))
  const batches: VectorBatch[] = []
  for (let from = 0; from < rows.length; ) {
    const count = choices.chance(10) ? 0 : Math.min(rows.length - from, 1 + choices.below(11))
    const vectors = fields.map(({ name, type }, f) => {
      // A builder goes on with its dictionary; another begins with one of its own, in another order.
      const builder = choices.chance(70) ? builders[f] : createBuilder(schema[name] as DataType, name)
      const before = choices.below(3)
      const part = rows.slice(Math.max(0, from - before), from + count)
      for (const { values } of part) builder?.append(toJavaScript(values[f] as Value, type), 0)
      // Off byte boundaries too.
      const vector = sliceVector((builder as typeof builder & object).finish(), part.length - count, part.length)
      return choices.chance(30) ? withPlainText(vector) : vector
    })
    batches.push({ rowCount: count, vectors })
    from += count
  }
  return { schema, batches }
}

/** The same strings without a dictionary, behind some that are no row's. */
export function withPlainText(vector: Vector): Vector {
  const { type, length, data, dictionary, validity, child, offsets } = vector
  if (child) return makeVector(type, length, data, { validity, offsets, child: withPlainText(child) })
  if (dictionary === null) return vector
  const plain = new Dictionary()
  plain.add('before')
  for (let i = 0; i < length; i++) plain.add(dictionary.get(data[i] as number))
  return makeVector(type, length, plain.bytes.slice(), { validity, offsets: plain.offsets.slice(1) })
}
