/** Unions of the naive model: the rows of one table, then those of the others, columns by name. */
import { as, commonType } from './join.js'
import type { ModelField, ModelRow, ModelTable, ModelType, Value } from './value.js'
import type { ModelVerb } from './verbs.js'

export interface ModelUnion {
  readonly verb: 'union'
  readonly others: readonly { readonly table: ModelTable; readonly verbs: readonly ModelVerb[] }[]
  /** Columns that some table lacks are null there. */
  readonly missing: 'error' | 'null'
}

export function fieldsOfUnion(inputs: readonly (readonly ModelField[])[]): ModelField[] {
  const names = [...new Set(inputs.flatMap(fields => fields.map(({ name }) => name)))]
  return names.map(name => {
    const found = inputs.flatMap(fields => fields.find(field => field.name === name)?.type ?? [])
    const type = found.reduce((a, b) => commonType(a, b) as ModelType)
    return { name, type: { ...type, nullable: type.nullable || found.length < inputs.length } }
  })
}

/** Rows of a table with such fields as rows of the union. */
export function* fitted(
  rows: Iterable<ModelRow>,
  from: readonly ModelField[],
  to: readonly ModelField[],
): Iterable<ModelRow> {
  const places = to.map(({ name }) => from.findIndex(field => field.name === name))
  for (const { source, values } of rows) {
    yield {
      source,
      values: places.map((place, i) =>
        place < 0 ? null : as(values[place] as Value, from[place]?.type as ModelType, to[i]?.type as ModelType),
      ),
    }
  }
}
