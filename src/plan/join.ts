/** Joins in the plan: what the user wrote, checked, and the columns that come out. physical.ts has the stage; the operator is operators/join.ts. */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, isNumber, type SchemaShape, typeName } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { Expression } from '../expressions/node.js'
import { resolvePredicate } from '../expressions/typing.js'
import { settleAsof } from './asof.js'
import { commonType, orNull } from './common-type.js'
import type { JoinKey, JoinNode, PlanNode, TakenColumn } from './logical.js'
import { LEFT, RIGHT } from './pair-columns.js'

export type JoinParts = Pick<JoinNode, 'how' | 'verb' | 'keys' | 'where' | 'suffix' | 'asof'>

/** Its columns are spelt out at once where both schemas are known. */
export function joinNode(
  input: PlanNode,
  left: SchemaShape | null,
  right: PlanNode,
  rightSchema: SchemaShape | null,
  parts: JoinParts,
): JoinNode {
  const node: JoinNode = Object.freeze({ kind: 'join', input, right, ...parts, taken: null })
  if (left !== null) for (const key of parts.keys) checkName(parts.verb, key.left, left, 'the left side')
  if (rightSchema !== null)
    for (const key of parts.keys) checkName(parts.verb, key.right, rightSchema, 'the right side')
  return left === null || rightSchema === null ? node : settleJoin(node, left, rightSchema)
}

/** The same with the columns that it takes. @throws MillraceError `MR_DUPLICATE_COLUMN` */
export function settleJoin(node: JoinNode, left: SchemaShape, right: SchemaShape): JoinNode {
  if (node.taken !== null) return node
  const asof = node.asof && settleAsof(node.asof, left, right)
  return Object.freeze({ ...node, asof, taken: Object.freeze(takenColumns(node, left, right)) })
}

function takenColumns(
  { how, keys, suffix, verb, asof }: JoinNode,
  left: SchemaShape,
  right: SchemaShape,
): TakenColumn[] {
  if (how === 'semi' || how === 'anti') return []
  const isKey = new Set(keys.map(key => key.right))
  // One name, one column: that of the left side. Under a name of its own the right side's time is of use.
  if (asof !== null && asof.left === asof.right) isKey.add(asof.right)
  const names = new Set(Object.keys(left))
  return Object.keys(right)
    .filter(column => !isKey.has(column))
    .map(column => {
      const name = Object.hasOwn(left, column) ? column + suffix : column
      if (names.has(name)) {
        throw new MillraceError(
          'MR_DUPLICATE_COLUMN',
          `${verb}: column ${quote(column)} of the right side would be a second ${quote(name)}; give another suffix, as in { suffix: '_2' }, or rename or drop one of them`,
          { operator: verb, column: name },
        )
      }
      names.add(name)
      return Object.freeze({ name, column })
    })
}

/** What comes out. @throws MillraceError `MR_UNKNOWN_COLUMN`, `MR_TYPE_MISMATCH`, `MR_DUPLICATE_COLUMN` */
export function joinSchema(node: JoinNode, left: SchemaShape, right: SchemaShape): SchemaShape {
  const { how, keys, where, verb } = node
  for (const key of keys) checkKey(key, node, left, right)
  if (where !== null) resolvePredicate(where, pairSchema(left, right), verb)
  const keepsLeft = how === 'left' || how === 'full'
  const keepsRight = how === 'right' || how === 'full'
  const { taken } = settleJoin(node, left, right)
  const keyOf = (name: string) => keys.find(key => key.left === name)
  return schemaOf([
    ...Object.keys(left).map(name => {
      const type = left[name] as DataType
      if (!keepsRight) return { name, type }
      const key = keyOf(name)
      return { name, type: key === undefined ? orNull(type) : keyType(key, node, left, right) }
    }),
    ...(taken as readonly TakenColumn[]).map(({ name, column }) => {
      const type = right[column] as DataType
      return { name, type: keepsLeft ? orNull(type) : type }
    }),
  ])
}

/** The columns of both sides, as a condition on pairs calls them. */
export const pairSchema = (left: SchemaShape, right: SchemaShape): SchemaShape =>
  schemaOf([
    ...Object.keys(left).map(name => ({ name: LEFT + name, type: left[name] as DataType })),
    ...Object.keys(right).map(name => ({ name: RIGHT + name, type: right[name] as DataType })),
  ])

/** Columns that a condition reads, of one side. */
export const readsOf = (reads: Iterable<string>, side: string): string[] =>
  [...reads].filter(name => name.startsWith(side)).map(name => name.slice(side.length))

/** A condition over pairs said over the columns of one side. */
export const columnOfSide = (side: string, name: string): Expression =>
  Object.freeze({ op: 'column', name: side + name })

function checkName(verb: string, name: unknown, schema: SchemaShape, where: string): void {
  if (typeof name !== 'string') {
    throw new MillraceError('MR_TYPE_MISMATCH', `${verb}: a key is the name of a column, not ${typeof name}`, {
      operator: verb,
    })
  }
  if (!Object.hasOwn(schema, name)) throw unknownColumn(name, Object.keys(schema), verb, `${verb}, ${where}`)
}

function checkKey(key: JoinKey, { verb }: JoinNode, left: SchemaShape, right: SchemaShape): void {
  checkName(verb, key.left, left, 'the left side')
  checkName(verb, key.right, right, 'the right side')
  const [a, b] = [left[key.left] as DataType, right[key.right] as DataType]
  if (!areComparable(a, b)) {
    const why = a.kind === b.kind ? `are ${a.kind}s, which cannot be keys` : 'cannot be equal; cast one of them'
    throw keyMismatch(key, verb, a, b, why)
  }
}

const areComparable = (a: DataType, b: DataType): boolean =>
  a.kind === b.kind ? a.kind !== 'list' && a.kind !== 'struct' : isNumber(a.kind) && isNumber(b.kind)

/** Of a key column that has keys of both sides. */
function keyType(key: JoinKey, { verb }: JoinNode, left: SchemaShape, right: SchemaShape): DataType {
  const [a, b] = [left[key.left] as DataType, right[key.right] as DataType]
  const type = commonType(a, b)
  if (type === null)
    throw keyMismatch(key, verb, a, b, 'come out as one column, and no type holds both; cast one of them')
  return type
}

const keyMismatch = (key: JoinKey, verb: string, a: DataType, b: DataType, why: string): MillraceError =>
  new MillraceError(
    'MR_TYPE_MISMATCH',
    `${verb}: key ${quote(key.left)} of the left side is ${typeName(a)}, ${quote(key.right)} of the right side is ${typeName(b)}; these ${why}`,
    { operator: verb, column: key.left },
  )
