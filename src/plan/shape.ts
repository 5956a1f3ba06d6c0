/** `explode`, `unpivot` and `sample`: their nodes, checked, and what comes out of them. */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, nullable, type SchemaShape, typeName, utf8 } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import { castTo, mismatch, resolveTyped, type Typed, withNull } from '../expressions/typing.js'
import { commonType } from '../expressions/unify.js'
import { checkNames, columnOf, inKeyOrder } from './build.js'
import type { ExplodeNode, NamedExpression, PlanNode, SampleNode, UnpivotNode } from './logical.js'

export function explodeNode(input: PlanNode, schema: SchemaShape | null, column: string): ExplodeNode {
  checkNames('explode', [column], schema)
  return Object.freeze({ kind: 'explode', input, column })
}

/** @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` for a column of no lists */
export function explodedSchema({ column }: ExplodeNode, input: SchemaShape): SchemaShape {
  if (!Object.hasOwn(input, column)) throw unknownColumn(column, Object.keys(input), 'explode')
  const { kind, item } = input[column] as DataType
  if (kind !== 'list') {
    const type = typeName(input[column] as DataType)
    throw mismatch('explode', `${quote(column)} is ${type}; only a column of lists has items to make rows of`, column)
  }
  return schemaOf(
    Object.entries(input).map(([name, type]) => ({ name, type: name === column ? nullable(item as DataType) : type })),
  )
}

/** With an input whose columns are known `index` is spelt out. */
export function unpivotNode(
  input: PlanNode,
  schema: SchemaShape | null,
  options: Pick<UnpivotNode, 'on' | 'index' | 'variableName' | 'valueName'>,
): UnpivotNode {
  const { on, variableName, valueName } = options
  checkNames('unpivot', on, schema)
  if (on.length === 0) throw invalid("name at least one column, as in unpivot({ on: ['jan', 'feb'] })")
  if (options.index !== null) checkNames('unpivot', options.index, schema)
  const both = options.index?.find(name => on.includes(name))
  if (both !== undefined) throw invalid(`${quote(both)} cannot be both on and index`)
  const rest = schema === null ? null : Object.keys(schema).filter(name => !on.includes(name))
  const index = options.index === null ? rest : inKeyOrder(options.index)
  const names = [...(index ?? []), variableName, valueName]
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) {
    throw new MillraceError(
      'MR_DUPLICATE_COLUMN',
      `unpivot: there would be two columns ${quote(twice)}; say variableName or valueName`,
      { operator: 'unpivot', column: twice },
    )
  }
  return Object.freeze({
    kind: 'unpivot',
    input,
    on: Object.freeze([...on]),
    index: index === null ? null : Object.freeze(index),
    variableName,
    valueName,
  })
}

/** The columns that an unpivot takes: those that are repeated, and those whose values it lists, widened to one type. */
export function unpivotInput(node: UnpivotNode, input: SchemaShape): (NamedExpression & { readonly type: DataType })[] {
  const { on } = node
  const index = node.index ?? Object.keys(input).filter(name => !on.includes(name))
  const typed = (name: string): Typed => resolveTyped(columnOf(name), input, 'unpivot')
  const first = typed(on[0] as string)
  const common = on.slice(1).reduce<DataType>((type, name) => {
    const both = commonType(type, typed(name).type)
    if (both !== null) return both
    const [a, b] = [typeName(first.type), typeName(typed(name).type)]
    throw mismatch(
      'unpivot',
      `${quote(on[0] as string)} is ${a} and ${quote(name)} is ${b}: no type holds the values of both; cast or drop one of them`,
      name,
    )
  }, first.type)
  return inKeyOrder([...index, ...on]).map(name => {
    const own = typed(name)
    const { node: expression, type } =
      on.includes(name) && own.type.kind !== 'list' ? castTo(own, common, 'unpivot') : own
    return { name, expression, type: on.includes(name) ? withNull(common, type.nullable) : type }
  })
}

export function unpivotedSchema(node: UnpivotNode, input: SchemaShape): SchemaShape {
  const columns = unpivotInput(node, input)
  const values = columns.filter(({ name }) => node.on.includes(name)).map(({ type }) => type)
  const value = withNull(
    values[0] as DataType,
    values.some(type => type.nullable),
  )
  const index = columns.filter(({ name }) => node.index?.includes(name) ?? !node.on.includes(name))
  return schemaOf([
    ...index.map(({ name, type }) => ({ name, type })),
    { name: node.variableName, type: utf8() },
    { name: node.valueName, type: value },
  ])
}

/** One of `count` and `fraction` is null. */
export function sampleNode(input: PlanNode, count: number | null, fraction: number | null, seed: number): SampleNode {
  return Object.freeze({ kind: 'sample', input, count, fraction, seed })
}

const invalid = (text: string): MillraceError =>
  new MillraceError('MR_INVALID_OPTION', `unpivot: ${text}`, { operator: 'unpivot' })
