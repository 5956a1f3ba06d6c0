/** Random `coalesce`, `when` and `nullIf` over columns of one family. */
import { type ModelExpression, type ModelLiteral, typeOfExpression } from '../oracle/expression.js'
import { isFloat, isInteger, isNumber, type ModelType, NANOSECONDS_PER, type Value } from '../oracle/value.js'
import {
  boolExpression,
  type ColumnState,
  type ExpressionOptions,
  type NumberExpression,
  numberExpression,
} from './expressions.js'

/** One that gives numbers, or (`anyFamily`) whatever the columns have; null where there is none. */
export function choosingExpression(
  options: ExpressionOptions,
  depth: number,
  anyFamily = false,
): NumberExpression | null {
  const { choices } = options
  const columns = options.columns.filter(({ type }) => (anyFamily ? type.kind !== 'list' : isNumber(type.kind)))
  if (columns.length === 0) return null
  const first = choices.pick(columns)
  const peers = columns.filter(({ type }) => familyOf(type) === familyOf(first.type))
  const inner = { ...options, columns: peers }
  const value = (): NumberExpression => {
    const made =
      isNumber(first.type.kind) && depth > 0 && choices.chance(30) ? numberExpression(inner, depth - 1) : null
    return made ?? ofColumn(choices.pick(peers))
  }
  const name = choices.pick(['coalesce', 'when', 'nullIf'] as const)
  if (name === 'nullIf') {
    const input = value()
    const other = choices.chance(50) ? value() : literalLike(options, input, typeOf(input, options))
    return call(name, [input.expression, other.expression], [input], options)
  }
  const values = [value()]
  while (values.length < 3 && choices.chance(50)) values.push(value())
  if (choices.chance(60)) {
    const type = typeOfExpression(coalesce(values), options.columns)
    values.splice(
      name === 'when' ? choices.below(values.length + 1) : values.length,
      0,
      literalLike(options, values[0], type),
    )
  }
  if (name === 'coalesce') return call(name, coalesce(values).inputs, values, options)
  const inputs: ModelExpression[] = []
  const isTotal = values.length > 1 && choices.chance(70)
  for (const [i, { expression }] of values.entries()) {
    const condition = isTotal && i === values.length - 1 ? null : boolExpression(options, Math.min(depth, 1))
    inputs.push(...(condition === null ? [expression] : [condition, expression]))
  }
  return call(name, inputs, values, options)
}

/** Types of one family have one that holds the values of all. */
export function familyOf({ kind, item }: ModelType): string {
  if (kind === 'list') return `list of ${familyTextOf(item as ModelType)}`
  return isNumber(kind) ? 'number' : kind
}

/** Of lists only those of one very type. */
const familyTextOf = ({ kind, unit, nullable, item }: ModelType): string =>
  [kind, unit, nullable, item === undefined ? '' : familyTextOf(item)].join(' ')

const ofColumn = ({ name, type, magnitude }: ColumnState): NumberExpression => ({
  expression: { op: 'column', name },
  kind: type.kind,
  magnitude,
})

const typeOf = ({ expression }: NumberExpression, { columns }: ExpressionOptions): ModelType =>
  typeOfExpression(expression, columns)

const coalesce = (values: readonly NumberExpression[]) => ({
  op: 'call' as const,
  function: 'coalesce',
  inputs: values.map(({ expression }) => expression),
})

function call(
  name: string,
  inputs: readonly ModelExpression[],
  values: readonly NumberExpression[],
  { columns }: ExpressionOptions,
): NumberExpression {
  const expression: ModelExpression = { op: 'call', function: name, inputs }
  const magnitude = values.reduce((most, value) => (value.magnitude > most ? value.magnitude : most), 0n)
  return { expression, kind: typeOfExpression(expression, columns).kind, magnitude }
}

/** A literal that takes `type`, or of integers perhaps a fraction. */
function literalLike(
  { choices, columns }: ExpressionOptions,
  { expression }: NumberExpression,
  type: ModelType,
): NumberExpression {
  const { kind } = type
  const column = expression.op === 'column' ? columns.find(({ name }) => name === expression.name) : undefined
  const sample =
    kind === column?.type.kind && column.samples.length > 0 && choices.chance(50) ? choices.pick(column.samples) : null
  if (isInteger(kind) && choices.chance(20)) return literal({ kind: 'float64', nullable: false }, 0.5)
  if (isInteger(kind)) return literal(type, choices.pick([0n, 1n, 2n, 100n]))
  if (isFloat(kind)) return literal(type, sample ?? choices.pick([0, -0, 0.5, NaN, Infinity]))
  if (kind === 'utf8') return literal(type, sample ?? choices.pick(['a', '', 'new', '😀']))
  if (kind === 'bool') return literal(type, choices.chance(50))
  if (kind === 'date') return literal(type, sample ?? choices.pick([0n, -1n, 10_957n]))
  return literal(type, (NANOSECONDS_PER.s * choices.pick([0n, -1n, 86_400n])) / NANOSECONDS_PER[type.unit ?? 'ms'])
}

function literal(type: ModelType, value: Value): NumberExpression {
  const expression: ModelLiteral = { op: 'literal', value, type: { ...type, nullable: value === null } }
  const magnitude = typeof value === 'bigint' ? (value < 0n ? -value : value) : 0n
  return { expression, kind: type.kind, magnitude }
}
