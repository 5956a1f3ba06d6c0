/**
 * Expressions of the naive model: their own tree, its types, and evaluation for one row at a time. verbs.ts runs them over
 * tables; test/laws/handles.ts says the same trees through the public interface.
 */
import { floorDiv, type TimePart, timePart } from './calendar.js'
import { FUNCTIONS, type ModelParameters } from './functions.js'
import {
  compareValues,
  isFloat,
  isInteger,
  ModelError,
  type ModelField,
  type ModelKind,
  type ModelRow,
  type ModelType,
  NANOSECONDS_PER,
  type Value,
} from './value.js'

export type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'intDiv' | 'mod'
export type CompareOp = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'

export interface ModelLiteral {
  readonly op: 'literal'
  readonly value: Value
  readonly type: ModelType
}

export type ModelExpression =
  | { readonly op: 'column'; readonly name: string }
  | ModelLiteral
  | {
      readonly op: ArithmeticOp | CompareOp | 'and' | 'or'
      readonly left: ModelExpression
      readonly right: ModelExpression
    }
  | { readonly op: 'not' | 'neg' | 'isNull' | TimePart; readonly input: ModelExpression }
  | {
      readonly op: 'between'
      readonly input: ModelExpression
      readonly low: ModelExpression
      readonly high: ModelExpression
    }
  | { readonly op: 'in'; readonly input: ModelExpression; readonly values: readonly ModelLiteral[] }
  | ModelCall

/** A function of values: functions.ts has what each gives. */
export interface ModelCall {
  readonly op: 'call'
  readonly function: string
  readonly inputs: readonly ModelExpression[]
  readonly parameters?: ModelParameters
}

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

const type = (kind: ModelKind, nullable: boolean): ModelType => ({ kind, nullable })

export function typeOfExpression(expression: ModelExpression, fields: readonly ModelField[]): ModelType {
  const of = (input: ModelExpression) => typeOfExpression(input, fields)
  switch (expression.op) {
    case 'column':
      return fields[indexOf(fields, expression.name)]?.type as ModelType
    case 'literal':
      return expression.type
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod': {
      const { op, right } = expression
      const mayDivideByZero =
        ['div', 'intDiv', 'mod'].includes(op) && !(right.op === 'literal' && Number(right.value) !== 0)
      const nullable = of(expression.left).nullable || of(right).nullable || mayDivideByZero
      return type(arithmeticKind(op, of(expression.left).kind, of(right).kind), nullable)
    }
    case 'neg': {
      const input = of(expression.input)
      return type(isInteger(input.kind) ? 'int64' : 'float64', input.nullable)
    }
    case 'call': {
      const { parameters = {} } = expression
      return FUNCTIONS[expression.function].type(expression.inputs.map(of), parameters)
    }
    case 'isNull':
      return type('bool', false)
    case 'not':
      return type('bool', of(expression.input).nullable)
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour':
      return type('int32', of(expression.input).nullable)
    case 'between':
      return type(
        'bool',
        [expression.input, expression.low, expression.high].some(input => of(input).nullable),
      )
    case 'in':
      // Nothing is in an empty list, not even null.
      return type(
        'bool',
        expression.values.length > 0 &&
          (of(expression.input).nullable || expression.values.some(({ value }) => value === null)),
      )
    default:
      return type('bool', of(expression.left).nullable || of(expression.right).nullable)
  }
}

/** The value of an expression in one row. Every part is evaluated, `and` and `or` do not hide a failing side; only what chooses among values asks for no more than it needs. */
export function evaluate(expression: ModelExpression, row: ModelRow, fields: readonly ModelField[]): Value {
  const of = (input: ModelExpression) => evaluate(input, row, fields)
  switch (expression.op) {
    case 'column':
      return row.values[indexOf(fields, expression.name)] as Value
    case 'literal':
      return expression.value
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod':
      return arithmetic(expression.op, of(expression.left), of(expression.right), row.source)
    case 'neg': {
      const value = of(expression.input)
      return typeof value === 'number' ? -value : arithmetic('sub', value === null ? null : 0n, value, row.source)
    }
    case 'and':
      return and(of(expression.left), of(expression.right))
    case 'or':
      return not(and(not(of(expression.left)), not(of(expression.right))))
    case 'not':
      return not(of(expression.input))
    case 'call': {
      const { inputs, parameters = {} } = expression
      const types = inputs.map(input => typeOfExpression(input, fields))
      return FUNCTIONS[expression.function].evaluate(valuesOf(expression.function, inputs, of), {
        parameters,
        types,
        row: row.source,
      })
    }
    case 'isNull':
      return of(expression.input) === null
    case 'between': {
      const from: ModelExpression = { op: 'gte', left: expression.input, right: expression.low }
      const to: ModelExpression = { op: 'lte', left: expression.input, right: expression.high }
      return and(of(from), of(to))
    }
    case 'in': {
      // Evaluated for an empty list too: it may fail.
      of(expression.input)
      const matches = expression.values.map(right => of({ op: 'eq', left: expression.input, right }))
      return matches.includes(true) ? true : matches.includes(null) ? null : false
    }
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour': {
      const value = of(expression.input) as bigint | null
      return value === null ? null : timePart(expression.op, value, typeOfExpression(expression.input, fields))
    }
    default: {
      const left = instant(of(expression.left), typeOfExpression(expression.left, fields))
      const right = instant(of(expression.right), typeOfExpression(expression.right, fields))
      return left === null || right === null ? null : compare(expression.op, compareValues(left, right))
    }
  }
}

/** The kind of an arithmetic result: int64 of integers unless it is a true division, float64 as soon as a float takes part. */
export function arithmeticKind(op: ArithmeticOp, left: ModelKind, right: ModelKind): 'int64' | 'float64' {
  return op === 'div' || isFloat(left) || isFloat(right) ? 'float64' : 'int64'
}

/** Integers exactly or not at all, floats as IEEE 754; null of a null or a zero divisor. `row` is for the error. */
export function arithmetic(op: ArithmeticOp, left: Value, right: Value, row: number): Value {
  if (left === null || right === null) return null
  const divides = op === 'div' || op === 'intDiv' || op === 'mod'
  if (divides && Number(right) === 0) return null
  if (op === 'div') return Number(left) / Number(right)
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    const exact = integerArithmetic(op, left, right)
    if (exact < INT64_MIN || exact > INT64_MAX) throw new ModelError('MR_INTEGER_OVERFLOW', row)
    return exact
  }
  return floatArithmetic(op, Number(left), Number(right))
}

function integerArithmetic(op: ArithmeticOp, left: bigint, right: bigint): bigint {
  if (op === 'add') return left + right
  if (op === 'sub') return left - right
  if (op === 'mul') return left * right
  return op === 'intDiv' ? floorDiv(left, right) : left - floorDiv(left, right) * right
}

function floatArithmetic(op: ArithmeticOp, left: number, right: number): number {
  if (op === 'add') return left + right
  if (op === 'sub') return left - right
  if (op === 'mul') return left * right
  if (op === 'intDiv') return Math.floor(left / right)
  // The remainder that takes the divisor's sign; % is exact and takes the dividend's.
  const remainder = left % right
  return remainder !== 0 && remainder < 0 !== right < 0 ? remainder + right : remainder
}

/** The inputs of a call; null for what is not asked for, since a value before it is chosen. */
export function valuesOf<T>(name: string, inputs: readonly T[], of: (input: T) => Value): Value[] {
  if (name !== 'when' && name !== 'coalesce') return inputs.map(of)
  const values: Value[] = inputs.map(() => null)
  for (let i = 0; i < inputs.length; i++) {
    values[i] = of(inputs[i])
    if (name === 'coalesce') {
      if (values[i] !== null) break
    } else if (i + 1 < inputs.length) {
      // A condition, and its value.
      if (values[i++] !== true) continue
      values[i] = of(inputs[i])
      break
    }
  }
  return values
}

function and(left: Value, right: Value): Value {
  if (left === false || right === false) return false
  return left === null || right === null ? null : true
}

function not(value: Value): Value {
  return value === null ? null : !value
}

function compare(op: CompareOp, order: number): boolean {
  if (op === 'eq') return order === 0
  if (op === 'ne') return order !== 0
  if (op === 'lt') return order < 0
  if (op === 'lte') return order <= 0
  return op === 'gt' ? order > 0 : order >= 0
}

/** Timestamps of any unit on one scale; other values as they are. */
function instant(value: Value, { unit }: ModelType): Value {
  return typeof value === 'bigint' && unit !== undefined ? value * NANOSECONDS_PER[unit] : value
}

function indexOf(fields: readonly ModelField[], name: string): number {
  return fields.findIndex(field => field.name === name)
}
