/**
 * Handles at run time, and the record of them that callbacks get. A handle is a frozen object whose one own property is its
 * expression, so it is plain data to `structuredClone`; its methods are its family's, on the prototype. handles.ts holds the interfaces.
 */
import { type DataType, isNumber, isTime, type SchemaShape, timestamp } from '../columnar/type.js'
import { MillraceError, quote, unknownColumn } from '../errors.js'
import type { ArithmeticOp, CallParameters, CompareOp, Expression, LiteralNode, TimePart } from '../expressions/node.js'
import { printExpression } from '../expressions/print.js'
import { childrenOf } from '../expressions/walk.js'
import { columnOf } from '../plan/build.js'
import { CALL_METHODS, type CallMethod } from './calls.js'
import type { Expr, Family } from './handles.js'
import { invalid, mismatch, show } from './refusal.js'

/** `'any'`: a column whose type is not known yet. */
export type RuntimeFamily = Family | 'any'

const ARITHMETIC: readonly ArithmeticOp[] = ['add', 'sub', 'mul', 'div', 'intDiv', 'mod']
const COMPARE: readonly CompareOp[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']
const PARTS: readonly TimePart[] = ['year', 'month', 'dayOfWeek', 'hour']

/** Methods that are operators of the tree; those that call functions are calls.ts's. */
const METHODS: Readonly<Record<RuntimeFamily, readonly string[]>> = {
  number: [...ARITHMETIC, 'neg', ...COMPARE, 'between', 'in'],
  string: [...COMPARE, 'between', 'in'],
  boolean: ['and', 'or', 'not', 'eq', 'ne', 'in'],
  time: [...PARTS, ...COMPARE, 'between', 'in'],
  other: [],
  any: [...ARITHMETIC, 'neg', ...COMPARE, 'between', 'in', 'and', 'or', 'not', ...PARTS],
}

const FAMILY_NAMES: Readonly<Record<RuntimeFamily, string>> = {
  number: 'a number',
  string: 'a string',
  boolean: 'a boolean',
  time: 'a date or timestamp',
  other: 'a list or struct',
  any: 'a column',
}

export type Handle = Omit<Expr, 'family'> & { readonly family: RuntimeFamily }
type Method = (this: Handle, ...operands: readonly unknown[]) => Handle

const PROTOTYPES = Object.fromEntries(
  (Object.keys(METHODS) as RuntimeFamily[]).map(family => [family, prototypeOf(family)]),
) as Readonly<Record<RuntimeFamily, object>>

const MOST_PARTS = 2 ** 19
const counted = new WeakMap<Expression, number>()

/** Parts of an expression, each as often as it stands in it. */
function countParts(node: Expression): number {
  const count = counted.get(node) ?? childrenOf(node).reduce((sum, child) => sum + countParts(child), 1)
  counted.set(node, count)
  return count
}

/**
 * A handle of `family` over `expression`; `more` are methods that others of its family have not.
 * @throws MillraceError `MR_INVALID_OPTION` where what is used again and again has made the expression too large
 */
export function handleOf(family: RuntimeFamily, expression: Expression, more?: PropertyDescriptorMap): Handle {
  if (countParts(expression) > MOST_PARTS)
    throw invalid(expression.op, 'the expression is too large: derive what it repeats as a column')
  return Object.freeze(
    Object.create(PROTOTYPES[family], { expression: { value: expression, enumerable: true }, ...more }) as Handle,
  )
}

export const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' && value !== null && typeof (value as Handle).family === 'string' && 'expression' in value

/**
 * The record that a callback gets: a handle for each column of `schema`, in its order; for an unknown schema, for any name at all. Expressions call columns by
 * `prefix` and their name.
 * @throws MillraceError (on reading) `MR_UNKNOWN_COLUMN` with the nearest name.
 */
export function columnsRecord(schema: SchemaShape | null, operator: string, prefix = ''): object {
  const record = Object.create(null) as Record<string, Handle>
  for (const [name, type] of Object.entries(schema ?? {})) {
    Object.defineProperty(record, name, { value: handleOf(familyOf(type), columnOf(prefix + name)), enumerable: true })
  }
  return new Proxy(Object.freeze(record), {
    get(target, name) {
      if (typeof name === 'symbol') return undefined
      if (Object.hasOwn(target, name)) return target[name]
      if (schema === null) return handleOf('any', columnOf(prefix + name))
      // What `await` and `JSON.stringify` ask every object for.
      if (['then', 'toJSON'].includes(name)) return undefined
      throw unknownColumn(name, Object.keys(schema), operator)
    },
  })
}

export function familyOf({ kind }: DataType): Family {
  if (isNumber(kind)) return 'number'
  if (isTime(kind)) return 'time'
  return kind === 'utf8' ? 'string' : kind === 'bool' ? 'boolean' : 'other'
}

function prototypeOf(family: RuntimeFamily): object {
  const prototype = {}
  const add = (name: PropertyKey, value: unknown) => Object.defineProperty(prototype, name, { value })
  add('family', family)
  const calls = Object.entries(CALL_METHODS)
  const hasCall = ({ of }: CallMethod) => family === 'any' || of.includes(family)
  for (const method of METHODS.any) {
    if (Object.hasOwn(CALL_METHODS, method) && hasCall(CALL_METHODS[method])) continue
    add(method, METHODS[family].includes(method) ? methodOf(method, family) : missingMethod(method, family))
  }
  for (const [method, call] of calls) {
    const has = hasCall(call)
    if (!has && METHODS.any.includes(method)) continue
    add(method, has ? callOf(method, call, family) : missingMethod(method, family))
  }
  add('isNull', function (this: Handle) {
    return handleOf('boolean', Object.freeze({ op: 'isNull', input: this.expression }))
  })
  add('isNotNull', function (this: Handle) {
    return handleOf('boolean', Object.freeze({ op: 'not', input: this.isNull().expression }))
  })
  add('toString', function (this: Handle) {
    return printExpression(this.expression)
  })
  add(Symbol.toPrimitive, function (this: Handle, hint: string) {
    if (hint === 'string') return printExpression(this.expression)
    throw new MillraceError(
      'MR_TYPE_MISMATCH',
      `${printExpression(this.expression)} is an expression, not a value; write methods instead of operators: .add(1), .gt(0), .eq('x')`,
    )
  })
  add(Symbol.toStringTag, 'Expr')
  return Object.freeze(prototype)
}

function methodOf(name: string, family: RuntimeFamily): Method {
  if (name === 'neg' || name === 'not' || (PARTS as readonly string[]).includes(name)) {
    const op = name as 'neg' | 'not' | TimePart
    const result = name === 'not' ? 'boolean' : 'number'
    return function () {
      return handleOf(result, Object.freeze({ op, input: this.expression }))
    }
  }
  if (name === 'between') {
    return function (low, high) {
      const left = binary('gte', this.expression, operandOf(low, family, 'between'))
      const right = binary('lte', this.expression, operandOf(high, family, 'between'))
      return handleOf('boolean', Object.freeze({ op: 'and', left, right }))
    }
  }
  if (name === 'in') {
    return function (values) {
      if (!isIterable(values)) throw mismatch('in', `in takes an array of values, not ${show(values)}`)
      const literals = Array.from(values, value =>
        value === null || value === undefined ? NULL : listed(value, family),
      )
      return handleOf('boolean', Object.freeze({ op: 'in', input: this.expression, values: Object.freeze(literals) }))
    }
  }
  const result = (ARITHMETIC as readonly string[]).includes(name) ? 'number' : 'boolean'
  const op = name as ArithmeticOp | CompareOp
  return function (other) {
    return handleOf(result, binary(op, this.expression, operandOf(other, family, name)))
  }
}

/** For JavaScript, where the compiler does not say that a string has no `add`. */
function missingMethod(name: string, family: RuntimeFamily): Method {
  const having = (['number', 'string', 'boolean', 'time', 'other'] as const).filter(
    other => METHODS[other].includes(name) || CALL_METHODS[name]?.of.includes(other),
  )
  return function () {
    const text = printExpression(this.expression)
    throw mismatch(
      name,
      `${text} is ${FAMILY_NAMES[family]}, which has no ${name}; ${having.map(other => FAMILY_NAMES[other]).join(', ')} has it`,
    )
  }
}

function callOf(name: string, call: CallMethod, family: RuntimeFamily): Method {
  const { gives, split, isOperator, takesNull } = call
  const operator = isOperator && METHODS[family].includes(name) ? methodOf(name, family) : null
  return function (...given) {
    if (operator !== null && isOperator?.(given)) return operator.call(this, ...given)
    const [operands, parameters] = split === undefined ? [given] : split(given, name)
    const inputs = [
      this.expression,
      ...operands.map(operand => (takesNull && operand === null ? NULL : operandOf(operand, family, name))),
    ]
    const of =
      typeof gives === 'function'
        ? gives(given)
        : gives === 'same'
          ? family
          : gives === 'typed'
            ? familyOf(parameters?.type as DataType)
            : gives
    return handleOf(of, callNode(name, inputs, parameters))
  }
}

/** A call of a function: expressions/calls.ts says what there is. */
export const callNode = (name: string, inputs: readonly Expression[], parameters?: CallParameters): Expression =>
  Object.freeze({
    op: 'call',
    function: name,
    inputs: Object.freeze(inputs),
    ...(parameters === undefined ? {} : { parameters: Object.freeze(parameters) }),
  })

const binary = (op: ArithmeticOp | CompareOp | 'and' | 'or', left: Expression, right: Expression): Expression =>
  Object.freeze({ op, left, right }) as Expression

const NULL: LiteralNode = Object.freeze({ op: 'literal', value: null })

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** JavaScript values that may stand beside a family; whether the very types fit is typing's to say. */
const OPERANDS: Readonly<Record<RuntimeFamily, readonly string[]>> = {
  number: ['number', 'bigint'],
  string: ['string'],
  boolean: ['boolean'],
  time: ['Date', 'string', 'bigint'],
  other: [],
  any: ['number', 'bigint', 'string', 'boolean', 'Date'],
}

export function operandOf(value: unknown, family: RuntimeFamily, operator: string): Expression {
  if (isHandle(value)) {
    if (value.family === family || value.family === 'any' || family === 'any') return value.expression
    throw mismatch(
      operator,
      `${operator} of ${FAMILY_NAMES[family]} takes ${FAMILY_NAMES[family]}, and ${printExpression(value.expression)} is ${FAMILY_NAMES[value.family]}`,
    )
  }
  if (value === null || value === undefined) {
    throw mismatch(
      operator,
      `${operator}: the operand is ${value}, and whatever is combined with null is null; to test for null write .isNull()`,
    )
  }
  const kind = value instanceof Date ? 'Date' : typeof value
  if (OPERANDS[family].includes(kind)) return literalOf(value, operator)
  throw mismatch(operator, `${operator} of ${FAMILY_NAMES[family]} takes ${FAMILY_NAMES[family]}, not ${show(value)}`)
}

function listed(value: unknown, family: RuntimeFamily): LiteralNode {
  if (isHandle(value)) throw mismatch('in', 'in takes values, not columns; compare columns by eq, and combine with or')
  return operandOf(value, family, 'in') as LiteralNode
}

/**
 * The node of a JavaScript value. A `Date` is a timestamp in milliseconds; the rest is typed by its partner, or by itself.
 * @throws MillraceError `MR_TYPE_MISMATCH` for an invalid `Date` and for what is no literal.
 */
export function literalOf(value: unknown, operator: string, column?: string): LiteralNode {
  const place = column === undefined ? operator : `${operator}: ${quote(column)}`
  if (value instanceof Date) {
    const time = value.getTime()
    if (Number.isNaN(time)) throw mismatch(operator, `${place}: the Date is invalid`, column)
    return Object.freeze({ op: 'literal', value: BigInt(time), type: timestamp('ms') })
  }
  if (value === null || ['number', 'bigint', 'string', 'boolean'].includes(typeof value)) {
    return Object.freeze({ op: 'literal', value: value as LiteralNode['value'] })
  }
  throw mismatch(
    operator,
    `${place}: ${show(value)} is no literal; a literal is a number, bigint, string, boolean, Date or null`,
    column,
  )
}
