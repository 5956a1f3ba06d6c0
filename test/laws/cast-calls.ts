/** Random casts of columns. */
import type { ModelCall } from '../oracle/expression.js'
import { isInteger, type ModelKind, type ModelType } from '../oracle/value.js'
import type { ExpressionOptions, NumberExpression } from './expressions.js'

const KINDS: readonly ModelKind[] = [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'float32',
  'float64',
  'utf8',
  'date',
  'timestamp',
]

/** One of a column that is not a list, null where there is none. `kinds` are what it may become; those that may fail only where `mayFail`. */
export function castExpression(
  { columns, choices, mayFail }: ExpressionOptions,
  kinds = KINDS,
): NumberExpression | null {
  const scalars = columns.filter(({ type }) => type.kind !== 'list')
  if (scalars.length === 0) return null
  const column = choices.pick(scalars)
  const fitting = kinds.filter(kind => converts(column.type, kind))
  if (fitting.length === 0) return null
  const kind = choices.pick(fitting)
  const type: ModelType = {
    kind,
    nullable: choices.chance(20),
    ...(kind === 'timestamp' ? { unit: choices.pick(['ms', 's', 'us', 'ns'] as const) } : {}),
  }
  const name = mayFail && choices.chance(50) ? 'cast' : 'tryCast'
  const expression: ModelCall = {
    op: 'call',
    function: name,
    inputs: [{ op: 'column', name: column.name }],
    parameters: { type },
  }
  return { expression, kind, magnitude: magnitudeOfCast(expression) }
}

export function magnitudeOfCast({ parameters }: Pick<ModelCall, 'parameters'>): bigint {
  const { kind } = (parameters as { type: ModelType }).type
  return isInteger(kind) ? 2n ** BigInt(kind.replace(/\D/g, '')) : 0n
}

function converts({ kind }: ModelType, to: ModelKind): boolean {
  const isTime = (each: ModelKind) => each === 'date' || each === 'timestamp'
  if (kind === 'utf8' || to === 'utf8') return true
  if (isTime(kind)) return isTime(to) || isInteger(to)
  return isTime(to) ? isInteger(kind) : true
}
