/** What types come of columns whose nulls are filled by the order of rows; filling them is fill-nulls.ts's, which is loaded when a terminal runs. */
import { fieldsOf, schemaOf } from '../columnar/schema.js'
import { type DataType, float64, nullable, type SchemaShape } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'

export type FillMethod = 'previous' | 'next' | 'linear' | 'mean'

/** The types that come out. @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` */
export function filledSchema(input: SchemaShape, methods: ReadonlyMap<string, FillMethod>): SchemaShape {
  for (const name of methods.keys())
    if (!Object.hasOwn(input, name)) throw unknownColumn(name, Object.keys(input), 'fillNull')
  return schemaOf(
    fieldsOf(input).map(({ name, type }) => {
      const method = methods.get(name)
      return { name, type: method === undefined ? type : filledType(name, type, method) }
    }),
  )
}

function filledType(name: string, type: DataType, method: FillMethod): DataType {
  const isNumber = /^(u?int|float)/.test(type.kind)
  if (type.kind === 'list' || type.kind === 'struct' || (!isNumber && (method === 'mean' || method === 'linear'))) {
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `fillNull: a ${type.kind} column cannot be filled by ${quote(method)}, as is asked for of ${quote(name)}`,
      { operator: 'fillNull', column: name },
    )
  }
  if (method === 'previous' || method === 'next') return type
  return type.nullable ? nullable(float64()) : float64()
}
