/** Verbs that make other rows of rows, in the naive model. */
import { as, common } from './functions/conditions.js'
import type { ModelField, ModelRow, ModelType, Value } from './value.js'

export interface ModelExplode {
  readonly verb: 'explode'
  readonly name: string
}
export interface ModelUnpivot {
  readonly verb: 'unpivot'
  readonly on: readonly string[]
  /** null: all others. */
  readonly index: readonly string[] | null
  readonly variableName: string
  readonly valueName: string
}

export function fieldsOfExplode({ name }: ModelExplode, fields: readonly ModelField[]): readonly ModelField[] {
  return fields.map(field =>
    field.name === name ? { name, type: { ...(field.type.item as ModelType), nullable: true } } : field,
  )
}

export function* exploded({ name }: ModelExplode, rows: Iterable<ModelRow>, fields: readonly ModelField[]) {
  const place = fields.findIndex(field => field.name === name)
  for (const { source, values } of rows) {
    const items = (values[place] ?? []) as readonly Value[]
    for (const item of items.length === 0 ? [null] : items) {
      yield { source, values: values.map((value, i) => (i === place ? item : value)) }
    }
  }
}

const indexOf = ({ on, index }: ModelUnpivot, fields: readonly ModelField[]): readonly string[] =>
  index ?? fields.map(({ name }) => name).filter(name => !on.includes(name))

const typesOf = (names: readonly string[], fields: readonly ModelField[]): ModelType[] =>
  names.map(name => (fields.find(field => field.name === name) as ModelField).type)

/** Null where no type holds the values of all. */
export function valueTypeOf(on: readonly string[], fields: readonly ModelField[]): ModelType {
  const types = typesOf(on, fields)
  return { ...common(types), nullable: types.some(({ nullable }) => nullable) }
}

export function fieldsOfUnpivot(unpivot: ModelUnpivot, fields: readonly ModelField[]): readonly ModelField[] {
  const { on, variableName, valueName } = unpivot
  const index = indexOf(unpivot, fields)
  return [
    ...index.map(name => fields.find(field => field.name === name) as ModelField),
    { name: variableName, type: { kind: 'utf8', nullable: false } },
    { name: valueName, type: valueTypeOf(on, fields) },
  ]
}

export function* unpivoted(unpivot: ModelUnpivot, rows: Iterable<ModelRow>, fields: readonly ModelField[]) {
  const { on } = unpivot
  const placeOf = (name: string) => fields.findIndex(field => field.name === name)
  const index = indexOf(unpivot, fields).map(placeOf)
  const type = valueTypeOf(on, fields)
  for (const { source, values } of rows) {
    for (const name of on) {
      const place = placeOf(name)
      const value = as(values[place] as Value, (fields[place] as ModelField).type, type)
      yield { source, values: [...index.map(i => values[i] as Value), name, value] }
    }
  }
}
