/** Random expressions over random rows for the property tests here: the laws' own generators, said as nodes. */
import fc from 'fast-check'
import { schemaOf } from '../../src/columnar/schema.js'
import { type DataType, type SchemaShape, timestamp } from '../../src/columnar/type.js'
import type { Expression, LiteralNode, LiteralValue } from '../../src/expressions/node.js'
import { castExpression } from '../laws/cast-calls.js'
import { choicesOf, tapes } from '../laws/choices.js'
import { choosingExpression } from '../laws/choosing.js'
import { boolExpression, numberExpression } from '../laws/expressions.js'
import { sayTable } from '../laws/say.js'
import { textExpression } from '../laws/strings.js'
import { tables } from '../laws/tables.js'
import type { ModelExpression, ModelLiteral } from '../oracle/expression.js'
import { dateText } from '../oracle/javascript.js'
import { type ModelField, type ModelTable, NANOSECONDS_PER } from '../oracle/value.js'
import type { Row } from './evaluate.js'

export interface ExpressionCase {
  readonly table: ModelTable
  readonly schema: SchemaShape
  readonly model: ModelExpression
  /** The same as the api would build it: untyped literals, no casts. */
  readonly raw: Expression
}

/** Expressions that may overflow, over up to twelve rows. */
export const expressionCases: fc.Arbitrary<ExpressionCase> = fc.tuple(tables(12), tapes()).chain(([table, tape]) => {
  const choices = choicesOf(tape)
  const columns = table.fields.map((field, i) => ({
    ...field,
    magnitude: 2n ** 63n,
    samples: table.rows.slice(0, 8).flatMap(({ values }) => values[i] ?? []),
  }))
  const options = { columns, choices, mayFail: true }
  const model = choices.chance(50)
    ? boolExpression(options, 3)
    : choices.chance(30)
      ? (choosingExpression(options, 2, true)?.expression ?? null)
      : ((choices.chance(30) ? castExpression(options)?.expression : null) ??
        (choices.chance(30) ? textExpression(options, 3) : null) ??
        numberExpression(options, 3)?.expression ??
        boolExpression(options, 3))
  const schema = schemaOfFields(table.fields)
  if (model === null) return fc.constant({ table, schema, model: nothing(table), raw: rawOf(nothing(table)) })
  return fc.constant({
    table,
    schema,
    model,
    raw: rawOf(model),
    [fc.toStringMethod]: () => `${sayTable(table)}\n${JSON.stringify(model, jsonBigint)}`,
  })
})

const jsonBigint = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)

const nothing = (table: ModelTable): ModelExpression => ({
  op: 'isNull',
  input: { op: 'column', name: (table.fields[0] as ModelField).name },
})

export const schemaOfFields = (fields: readonly ModelField[]): SchemaShape =>
  schemaOf(fields.map(({ name, type }) => ({ name, type: type as DataType })))

export const rowsOf = ({ fields, rows }: ModelTable): Row[] =>
  rows.map(({ values }) => new Map(fields.map(({ name }, i) => [name, values[i] ?? null])))

export function rawOf(model: ModelExpression): Expression {
  switch (model.op) {
    case 'column':
      return model
    case 'literal':
      return rawLiteral(model)
    case 'between': {
      const left: Expression = { op: 'gte', left: rawOf(model.input), right: rawOf(model.low) }
      return { op: 'and', left, right: { op: 'lte', left: rawOf(model.input), right: rawOf(model.high) } }
    }
    case 'in':
      return { op: 'in', input: rawOf(model.input), values: model.values.map(rawLiteral) }
    case 'not':
    case 'neg':
    case 'isNull':
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return { op: model.op, input: rawOf(model.input) }
    case 'call':
      return { ...model, inputs: model.inputs.map(rawOf) } as Expression
    default:
      return { op: model.op, left: rawOf(model.left), right: rawOf(model.right) }
  }
}

function rawLiteral({ value, type }: ModelLiteral): LiteralNode {
  if (typeof value !== 'bigint') return { op: 'literal', value: value as LiteralValue }
  if (type.kind === 'date') return { op: 'literal', value: dateText(value) }
  if (type.kind === 'timestamp') {
    const milliseconds = (value * NANOSECONDS_PER[type.unit ?? 'ms']) / NANOSECONDS_PER.ms
    return { op: 'literal', value: milliseconds, type: timestamp('ms') }
  }
  const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
  return { op: 'literal', value: isSafe ? Number(value) : value }
}
