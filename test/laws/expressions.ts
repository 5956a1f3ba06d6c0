/**
 * Random typed expressions over given columns, steered by a tape. Each integer column comes with the greatest magnitude it can
 * have, so that a caller may ask for expressions that cannot overflow; flows.ts keeps these magnitudes from verb to verb.
 */
import {
  type ArithmeticOp,
  type CompareOp,
  INT64_MAX,
  type ModelExpression,
  type ModelLiteral,
} from '../oracle/expression.js'
import {
  isFloat,
  isInteger,
  isNumber,
  type ModelField,
  type ModelKind,
  type ModelType,
  type Value,
} from '../oracle/value.js'
import { castExpression } from './cast-calls.js'
import type { Choices } from './choices.js'
import { choosingExpression } from './choosing.js'
import { numberCall } from './number-calls.js'
import { textExpression, textNumber, textTest } from './strings.js'
import { EDGE_FLOATS } from './tables.js'
import { timeNumber } from './times.js'

export interface ColumnState extends ModelField {
  /** Of an integer column: no value is further from zero. */
  readonly magnitude: bigint
  /** Some of its values where they are known, for literals that hit. */
  readonly samples: readonly Value[]
}

export interface ExpressionOptions {
  readonly columns: readonly ColumnState[]
  readonly choices: Choices
  /** Whether an int64 result may overflow. */
  readonly mayFail: boolean
}

export interface NumberExpression {
  readonly expression: ModelExpression
  readonly kind: ModelKind
  readonly magnitude: bigint
}

const COMPARISONS: readonly CompareOp[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']
const ARITHMETIC: readonly ArithmeticOp[] = ['add', 'sub', 'mul', 'div', 'intDiv', 'mod']

const ofColumn = (name: string): ModelExpression => ({ op: 'column', name })
const isInstant = ({ type }: ModelField) => type.kind === 'timestamp'
const literal = (kind: ModelKind, value: Value, unit?: 'ms'): ModelLiteral => {
  const type: ModelType = { kind, nullable: value === null }
  return { op: 'literal', value, type: unit === undefined ? type : { ...type, unit } }
}

/** A numeric expression, or null where no column can give one. */
export function numberExpression(options: ExpressionOptions, depth: number): NumberExpression | null {
  const { columns, choices, mayFail } = options
  const numbers = columns.filter(({ type }) => isNumber(type.kind))
  const times = columns.filter(({ type }) => type.kind === 'timestamp' || type.kind === 'date')
  if (times.length > 0 && (numbers.length === 0 || choices.chance(25))) {
    const called = choices.chance(30) ? timeNumber(options) : null
    if (called !== null) return { ...called, magnitude: 2n ** 31n }
    const { name, type } = choices.pick(times)
    const op = choices.pick(
      type.kind === 'date'
        ? (['year', 'month', 'dayOfWeek'] as const)
        : (['hour', 'year', 'month', 'dayOfWeek'] as const),
    )
    return { expression: { op, input: ofColumn(name) }, kind: 'int32', magnitude: 10_000n }
  }
  const ofText = choices.chance(mayFail ? 1 : 10) ? textNumber(options, 1) : null
  if (ofText !== null) {
    const kind = ofText.name === 'toNumber' ? 'float64' : 'int32'
    return { expression: ofText.expression, kind, magnitude: 2n ** 31n - 1n }
  }
  if (choices.chance(mayFail ? 2 : 5)) {
    const made = castExpression(options, ['int8', 'int32', 'uint16', 'float32', 'float64', 'uint32', 'int16', 'uint8'])
    if (made !== null) return made
  }
  if (numbers.length === 0) return null
  const column = choices.pick(numbers)
  const leaf = { expression: ofColumn(column.name), kind: column.type.kind, magnitude: column.magnitude }
  if (depth === 0 || !choices.chance(70)) return leaf
  const made = choices.chance(10)
    ? negated(options, depth)
    : choices.chance(20)
      ? called(options, depth)
      : calculated(options, depth)
  return made === null || (!mayFail && isInteger(made.kind) && made.magnitude > INT64_MAX) ? leaf : made
}

function negated(options: ExpressionOptions, depth: number): NumberExpression | null {
  const input = numberExpression(options, depth - 1)
  if (input === null) return null
  const kind = isInteger(input.kind) ? 'int64' : 'float64'
  return { expression: { op: 'neg', input: input.expression }, kind, magnitude: input.magnitude }
}

/** A function of a number. */
function called(options: ExpressionOptions, depth: number): NumberExpression | null {
  const input = numberExpression(options, depth - 1)
  if (input === null) return null
  if (options.choices.chance(30)) return choosingExpression(options, depth - 1)
  return numberCall(options, input)
}

const call = (name: string, ...inputs: readonly ModelExpression[]): ModelExpression => ({
  op: 'call',
  function: name,
  inputs,
})

function calculated(options: ExpressionOptions, depth: number): NumberExpression | null {
  const { choices } = options
  const op = choices.pick(ARITHMETIC)
  const left = numberExpression(options, depth - 1)
  const right = choices.chance(50)
    ? numberExpression(options, depth - 1)
    : numberLiteral(choices, left?.kind ?? 'float64')
  if (left === null || right === null) return null
  const expression: ModelExpression = { op, left: left.expression, right: right.expression }
  const kind = op === 'div' || isFloat(left.kind) || isFloat(right.kind) ? 'float64' : 'int64'
  return { expression, kind, magnitude: magnitudeOf(op, left.magnitude, right.magnitude) }
}

/** The greatest magnitude of a result; of `intDiv` the dividend's, of `mod` the divisor's. */
export function magnitudeOf(op: ArithmeticOp, left: bigint, right: bigint): bigint {
  if (op === 'mul') return left * right
  if (op === 'add' || op === 'sub') return left + right
  // One more, since -1 floored by something greater is -1.
  return op === 'intDiv' ? left + 1n : right
}

/** A literal beside a number of `kind`: an integer, or (never an integer beside an integer column) a float. */
function numberLiteral(choices: Choices, kind: ModelKind): NumberExpression {
  if (isFloat(kind) && choices.chance(50)) {
    return { expression: literal('float64', choices.pick(EDGE_FLOATS)), kind: 'float64', magnitude: 0n }
  }
  if (choices.chance(20)) {
    return { expression: literal('float64', choices.pick([0.5, -2.5, 0.1, 1e-300])), kind: 'float64', magnitude: 0n }
  }
  const value = choices.pick([1n, 2n, 0n, -1n, 3n, -7n, 1000n, 2n ** 31n, 2n ** 53n - 1n])
  return { expression: literal('int64', value), kind: 'int64', magnitude: value < 0n ? -value : value }
}

/** A predicate, or null where no column can give one. */
export function boolExpression(options: ExpressionOptions, depth: number): ModelExpression | null {
  const { columns, choices } = options
  if (columns.length === 0) return null
  if (depth > 0 && choices.chance(40)) {
    const op = choices.pick(['and', 'or', 'not'] as const)
    const left = boolExpression(options, depth - 1)
    const right = boolExpression(options, depth - 1)
    if (left === null || right === null) return null
    return op === 'not' ? { op, input: left } : { op, left, right }
  }
  const column = choices.pick(columns)
  if (choices.chance(10) || column.type.kind === 'list') return { op: 'isNull', input: ofColumn(column.name) }
  if (isNumber(column.type.kind)) return numberTest(options, depth)
  if (column.type.kind === 'bool') return boolTest(options, column)
  if (column.type.kind === 'utf8' && choices.chance(30)) {
    const tested = choices.chance(50) ? textTest(options, depth) : null
    const left = textExpression(options, depth) as ModelExpression
    return tested ?? test(choices, left, () => literalLike(choices, column), peersOf(column, columns))
  }
  return test(choices, ofColumn(column.name), () => literalLike(choices, column), peersOf(column, columns))
}

function numberTest(options: ExpressionOptions, depth: number): ModelExpression | null {
  const { choices, columns } = options
  const left = numberExpression(options, Math.min(depth, 1))
  if (left === null) return null
  if (choices.chance(10)) return call('isNaN', left.expression)
  const sampled = columns.filter(({ type, samples }) => isNumber(type.kind) && samples.length > 0)
  // A comparison never rounds, so here any number may stand beside any other.
  const someLiteral = (): ModelLiteral => {
    if (sampled.length > 0 && choices.chance(60)) {
      const value = choices.pick(choices.pick(sampled).samples)
      if (value !== null) return literal(typeof value === 'bigint' ? 'int64' : 'float64', value)
    }
    if (choices.chance(20)) return literal('float64', choices.pick(EDGE_FLOATS))
    return numberLiteral(choices, left.kind).expression as ModelLiteral
  }
  const peers = columns.filter(({ type }) => isNumber(type.kind))
  return test(choices, left.expression, someLiteral, peers)
}

function boolTest(options: ExpressionOptions, column: ColumnState): ModelExpression {
  const { choices, columns } = options
  if (choices.chance(50)) return ofColumn(column.name)
  const peers = columns.filter(({ type }) => type.kind === 'bool')
  const right = choices.chance(50) ? ofColumn(choices.pick(peers).name) : literal('bool', choices.chance(50))
  return { op: choices.pick(['eq', 'ne'] as const), left: ofColumn(column.name), right }
}

/** A comparison, `between` or `in`, against literals or against one of `peers`. */
function test(
  choices: Choices,
  left: ModelExpression,
  someLiteral: () => ModelLiteral,
  peers: readonly ColumnState[],
): ModelExpression {
  const how = choices.below(10)
  if (how === 8) return { op: 'between', input: left, low: someLiteral(), high: someLiteral() }
  if (how === 9) return { op: 'in', input: left, values: Array.from({ length: choices.below(4) }, someLiteral) }
  const op = choices.pick(COMPARISONS)
  const right = peers.length > 0 && choices.chance(40) ? ofColumn(choices.pick(peers).name) : someLiteral()
  return { op, left, right }
}

function peersOf(column: ColumnState, columns: readonly ColumnState[]): readonly ColumnState[] {
  return columns.filter(({ type }) => type.kind === column.type.kind)
}

/** A literal for a string, date or timestamp column: one of its own values where they are known. */
function literalLike(choices: Choices, column: ColumnState): ModelLiteral {
  const sample = column.samples.length > 0 && choices.chance(70) ? choices.pick(column.samples) : null
  if (column.type.kind === 'utf8') return literal('utf8', sample ?? choices.pick(['a', '', 'b', 'zz', '\uFF5E', '😀']))
  if (!isInstant(column)) return literal('date', sample ?? choices.pick([0n, -1n, 10_957n]))
  // A literal is a Date, whose unit is the millisecond, whatever the column's.
  const perSecond = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[column.type.unit ?? 'ms']
  const milliseconds = sample === null ? choices.pick([0n, -1n, 1500n]) : ((sample as bigint) * 1000n) / perSecond
  return literal('timestamp', milliseconds, 'ms')
}
