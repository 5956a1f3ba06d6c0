/** Rows out of a lane, for a port: a record batch whose columns are named as the schema says, or by position where names do not matter. */
import type { RecordBatch } from '../columnar/record-batch.js'
import { schemaOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneBatch } from '../kernels/lane-vector.js'
import { unloadBatch } from '../kernels/transfer-batch.js'

export function unloadRows(k: Kernels, batch: LaneBatch, schema?: SchemaShape): RecordBatch {
  return unloadBatch(k, batch, schema ?? positionalSchema(batch.columns.map(({ type }) => type)))
}

/** A schema for columns that need no names: '0', '1', ... */
export function positionalSchema(types: readonly DataType[]): SchemaShape {
  return schemaOf(types.map((type, i) => ({ name: String(i), type })))
}
