/**
 * Resolved expressions, evaluated for one row and strictly: what is not in the form that typing.ts promises the operators is an
 * error here, so that running a tree also checks it. The naive model (test/oracle) evaluates what users write, and is told apart on purpose.
 * Values are the model's: bigint for all that counts in whole units, number for floats.
 */
import type { DataType, SchemaShape, TimeUnit } from '../../src/columnar/type.js'
import type { Expression } from '../../src/expressions/node.js'
import { typeOf } from '../../src/expressions/typing.js'
import { type TimePart, timePart } from '../oracle/calendar.js'
import { arithmetic, INT64_MAX, INT64_MIN, valuesOf } from '../oracle/expression.js'
import { FUNCTIONS } from '../oracle/functions.js'
import { compareValues, ModelError, type ModelType, NANOSECONDS_PER, type Value } from '../oracle/value.js'

export type Row = ReadonlyMap<string, Value>

/** @throws ModelError where an integer leaves int64, Error where the tree is not in resolved form. */
export function evaluateResolved(node: Expression, row: Row, schema: SchemaShape): Value {
  const of = (child: Expression) => evaluateResolved(child, row, schema)
  const typeOfChild = (child: Expression) => typeOf(child, schema)
  switch (node.op) {
    case 'column':
      return row.get(node.name) as Value
    case 'param':
      throw new Error('not in resolved form: param')
    case 'literal':
      return literalValue(node.value, node.type)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod': {
      const kinds = [typeOfChild(node.left).kind, typeOfChild(node.right).kind]
      demand(kinds[0] === kinds[1] && (kinds[0] === 'float64' || (kinds[0] === 'int64' && node.op !== 'div')), node)
      return arithmetic(node.op, of(node.left), of(node.right), 0)
    }
    case 'neg': {
      const { kind } = typeOfChild(node.input)
      demand(kind === 'int64' || kind === 'float64', node)
      const value = of(node.input)
      return typeof value === 'number' ? -value : arithmetic('sub', value === null ? null : 0n, value, 0)
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      demand(comparable(typeOfChild(node.left), typeOfChild(node.right), node.op), node)
      const [left, right] = [of(node.left), of(node.right)]
      if (left === null || right === null) return null
      const order = compareValues(left, right)
      return { eq: order === 0, ne: order !== 0, lt: order < 0, lte: order <= 0, gt: order > 0, gte: order >= 0 }[
        node.op
      ]
    }
    case 'and':
    case 'or': {
      demand(typeOfChild(node.left).kind === 'bool' && typeOfChild(node.right).kind === 'bool', node)
      const values = [of(node.left), of(node.right)]
      const decisive = node.op === 'or'
      return values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive
    }
    case 'not': {
      demand(typeOfChild(node.input).kind === 'bool', node)
      const value = of(node.input)
      return value === null ? null : !value
    }
    case 'isNull':
      return of(node.input) === null
    case 'in': {
      const { kind, unit } = typeOfChild(node.input)
      demand(['int32', 'int64', 'float64', 'bool', 'utf8', 'date', 'timestamp'].includes(kind), node)
      demand(
        node.values.every(({ type }) => type?.kind === kind && type.unit === unit),
        node,
      )
      const input = of(node.input)
      if (node.values.length === 0) return false
      if (input === null) return null
      const values = node.values.map(({ value, type }) => literalValue(value, type))
      return values.some(value => value !== null && compareValues(input, value) === 0)
        ? true
        : values.includes(null)
          ? null
          : false
    }
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour': {
      const type = typeOfChild(node.input)
      demand(type.kind === 'timestamp' || (type.kind === 'date' && node.op !== 'hour'), node)
      const value = of(node.input) as bigint | null
      return value === null ? null : timePart(node.op as TimePart, value, type as ModelType)
    }
    case 'call': {
      const { inputs, parameters = {} } = node
      const types = inputs.map(typeOfChild) as readonly ModelType[]
      const { type, evaluate } = FUNCTIONS[node.function]
      demand(node.type?.kind === type(types, parameters).kind, node)
      return evaluate(valuesOf(node.function, inputs, of), { parameters, types, row: 0 })
    }
    case 'cast':
      return cast(of(node.input), typeOfChild(node.input), node.type)
  }
}

function demand(condition: boolean, node: Expression): void {
  if (!condition) throw new Error(`not in resolved form: ${node.op}`)
}

/** Literals of a resolved tree are typed, and hold just the JavaScript type that their kind is kept in. */
function literalValue(value: unknown, type: DataType | undefined): Value {
  if (type === undefined) throw new Error('an untyped literal in a resolved tree')
  if (value === null) return null
  const holds: Record<string, string> = {
    int8: 'number',
    int16: 'number',
    int32: 'number',
    uint8: 'number',
    uint16: 'number',
    uint32: 'number',
    float32: 'number',
    date: 'number',
    float64: 'number',
    int64: 'bigint',
    timestamp: 'bigint',
    utf8: 'string',
    bool: 'boolean',
  }
  if (typeof value !== holds[type.kind]) throw new Error(`a ${type.kind} literal kept as ${typeof value}`)
  return typeof value === 'number' && !type.kind.startsWith('float') ? BigInt(value) : (value as Value)
}

function comparable(left: DataType, right: DataType, op: string): boolean {
  const kinds = [left.kind, right.kind].sort().join()
  if (kinds === 'float64,int64') return true
  if (kinds === 'bool,bool') return op === 'eq' || op === 'ne'
  const known = ['int32,int32', 'int64,int64', 'float64,float64', 'utf8,utf8', 'date,date', 'timestamp,timestamp']
  return known.includes(kinds) && left.unit === right.unit
}

const WIDENINGS: Readonly<Record<string, readonly string[]>> = {
  int32: ['int8', 'int16', 'uint8', 'uint16'],
  int64: ['int8', 'int16', 'int32', 'uint8', 'uint16', 'uint32'],
  float64: ['int8', 'int16', 'int32', 'uint8', 'uint16', 'uint32', 'int64', 'float32'],
  timestamp: ['timestamp'],
}

function cast(value: Value, from: DataType, to: DataType): Value {
  if (WIDENINGS[to.kind]?.includes(from.kind) !== true) throw new Error(`a cast from ${from.kind} to ${to.kind}`)
  if (value === null) return null
  if (to.kind === 'float64') return Number(value)
  if (to.kind !== 'timestamp') return value
  const ratio = NANOSECONDS_PER[from.unit as TimeUnit] / NANOSECONDS_PER[to.unit as TimeUnit]
  if (ratio < 2n) throw new Error('a cast to a unit that is not finer')
  const scaled = (value as bigint) * ratio
  if (scaled < INT64_MIN || scaled > INT64_MAX) throw new ModelError('MR_INTEGER_OVERFLOW', 0)
  return scaled
}
