/** Unions in the plan: columns by name, each of the type that holds the values of all inputs. How inputs are read one after another is planner.ts's to say. */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, nearestName, quote } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import { columnOf, projectNode } from './build.js'
import { commonType, orNull } from './common-type.js'
import type { NamedExpression, PlanNode, UnionNode } from './logical.js'
import { inputsOf } from './sources-of.js'

export function unionNode(
  inputs: readonly PlanNode[],
  schemas: readonly (SchemaShape | null)[],
  missing: UnionNode['missing'],
): UnionNode {
  const [input, ...others] = inputs as [PlanNode, ...PlanNode[]]
  const node: UnionNode = Object.freeze({ kind: 'union', input, others: Object.freeze(others), missing, columns: null })
  // For its checks.
  if (schemas.every(schema => schema !== null)) unionSchema(node, schemas)
  return node
}

/** What comes out. @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH` */
export function unionSchema({ missing, columns }: UnionNode, schemas: readonly SchemaShape[]): SchemaShape {
  if (columns !== null) return columns
  const names = new Set(schemas.flatMap(schema => Object.keys(schema)))
  return schemaOf([...names].map(name => ({ name, type: typeIn(name, schemas, missing) })))
}

function typeIn(name: string, schemas: readonly SchemaShape[], missing: UnionNode['missing']): DataType {
  let type: DataType | null = null
  let first = 0
  for (const [i, schema] of schemas.entries()) {
    if (!Object.hasOwn(schema, name)) {
      if (missing === 'error') throw missingColumn(name, i, schema)
      continue
    }
    const own = schema[name] as DataType
    if (type === null) {
      type = own
      first = i
      continue
    }
    const common = commonType(type, own)
    if (common === null) {
      throw new MillraceError(
        'MR_TYPE_MISMATCH',
        `union: column ${quote(name)} is ${typeName(type)} in ${nameOf(first)}, ${typeName(own)} in ${nameOf(i)}, and no type holds both; cast one of them`,
        { operator: 'union', column: name },
      )
    }
    type = common
  }
  const found = type as DataType
  return schemas.every(schema => Object.hasOwn(schema, name)) ? found : orNull(found)
}

function missingColumn(name: string, i: number, schema: SchemaShape): MillraceError {
  const near = nearestName(name, Object.keys(schema))
  return new MillraceError(
    'MR_UNKNOWN_COLUMN',
    `union: ${nameOf(i)} has no column ${quote(name)}${near === undefined ? '' : `, but ${quote(near)}`}; rename or drop columns so that both have the same, or have nulls put there, by { missing: 'null' }`,
    { operator: 'union', column: name },
  )
}

const nameOf = (i: number): string => (i === 0 ? 'the first flow' : `flow ${i + 1}`)

/** The same over bound inputs, each of which gives the columns that come out, in their types. Unions built one onto another, in a loop, say, are as one. */
export function settleUnion(node: UnionNode, inputs: readonly PlanNode[], schemas: readonly SchemaShape[]): UnionNode {
  const columns = unionSchema(node, schemas)
  const [input, ...others] = inputs.flatMap((each, i) => {
    const given = fitted(each, schemas[i] as SchemaShape, columns)
    return given.kind === 'union' ? inputsOf(given) : [given]
  }) as [PlanNode, ...PlanNode[]]
  return Object.freeze({ ...node, input, others: Object.freeze(others), columns })
}

function fitted(input: PlanNode, schema: SchemaShape, columns: SchemaShape): PlanNode {
  const made = Object.keys(columns).map((name): NamedExpression & { isPlain: boolean } => {
    const type = columns[name] as DataType
    const own = schema[name] as DataType | undefined
    if (own === undefined || !Object.hasOwn(schema, name)) {
      return { name, expression: Object.freeze({ op: 'literal', value: null, type: orNull(type) }), isPlain: false }
    }
    const isSame = type.kind === 'list' || (own.kind === type.kind && own.unit === type.unit)
    const column = columnOf(name)
    return { name, expression: isSame ? column : castOf(column, type), isPlain: isSame }
  })
  const isAsItIs = made.every(({ isPlain }) => isPlain) && Object.keys(schema).length === made.length
  return isAsItIs
    ? input
    : projectNode(
        input,
        'union',
        made.map(({ name, expression }) => ({ name, expression })),
      )
}

function castOf(input: Expression, { nullable: _, timeZone: __, ...type }: DataType): Expression {
  return Object.freeze({ op: 'cast', input, type: Object.freeze({ ...type, nullable: false }) })
}
