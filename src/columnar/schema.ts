/**
 * Schemas: `schema()` makes the plain frozen object that users see; `fieldsOf` is the ordered list that the engine
 * walks.
 */
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { DataType, SchemaShape } from './type.js'

export interface Field {
  readonly name: string
  readonly type: DataType
}

/**
 * Column names to types, frozen. Any string is a name, `__proto__`, `constructor` and `''` too.
 * Order is the object's own: as everywhere in JavaScript, integer-like names come first.
 * @throws MillraceError `MR_TYPE_MISMATCH` for a value that is not a type.
 */
export function schema<const S extends SchemaShape>(shape: S): S {
  if (typeof shape !== 'object' || shape === null || Array.isArray(shape))
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      'schema takes an object of names to types, as in schema({ price: float64() })',
    )
  return schemaOf(Object.keys(shape).map(name => ({ name, type: shape[name] as DataType }))) as S
}

/** Whether it is one of the types that there are: some are written by hand, or come out of JSON. */
export function isType(type: unknown): type is DataType {
  if (typeof type !== 'object' || type === null) return false
  const { kind, unit, item, fields } = type as Partial<DataType>
  if (kind === 'list') return isType(item)
  if (kind === 'struct') return typeof fields === 'object' && fields !== null && Object.values(fields).every(isType)
  return /^(bool|u?int(8|16|32)|int64|float(32|64)|utf8|date|timestamp (s|[mun]s))$/.test(
    kind === 'timestamp' ? `${kind} ${unit}` : `${kind}`,
  )
}

/** The ordered fields of a schema. */
export function fieldsOf(shape: SchemaShape): readonly Field[] {
  return Object.keys(shape).map(name => ({ name, type: shape[name] as DataType }))
}

const placesOf = new WeakMap<SchemaShape, ReadonlyMap<string, number>>()

/** The place of a column that there is. */
export function placeOf(shape: SchemaShape, name: string): number {
  let places = placesOf.get(shape)
  if (places === undefined) {
    places = new Map(Object.keys(shape).map((each, i) => [each, i]))
    placesOf.set(shape, places)
  }
  return places.get(name) as number
}

/**
 * A schema from its fields: own, enumerable, frozen properties, defined and not assigned, so that `__proto__` is just a
 * name. Integer-like names move to the front, so whoever goes on to line up vectors must do so by `fieldsOf` of the
 * result.
 * @throws MillraceError `MR_DUPLICATE_COLUMN` where a name comes twice.
 */
export function schemaOf(fields: readonly Field[]): SchemaShape {
  const shape = {}
  for (const { name, type } of fields) {
    if (!isType(type)) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `schema: column ${quote(name)} has no type that there is; write for example ${quote(name)}: int32()`,
        {
          column: name,
        },
      )
    }
    if (Object.hasOwn(shape, name)) {
      throw new MillraceError('MR_DUPLICATE_COLUMN', `schema: column ${quote(name)} comes twice; rename one of them`, {
        column: name,
      })
    }
    Object.defineProperty(shape, name, { value: type, enumerable: true })
  }
  return Object.freeze(shape)
}

/**
 * The position of column `name`, for `operator` to name in its error.
 * @throws MillraceError `MR_UNKNOWN_COLUMN`, with the nearest name.
 */
export function findField(shape: SchemaShape, name: string, operator: string): number {
  const position: number | undefined = placeOf(shape, name)
  if (position === undefined) throw unknownColumn(name, Object.keys(shape), operator)
  return position
}
