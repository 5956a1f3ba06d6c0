/**
 * What expressions are compiled to, and the compiling of those that are columns as they are. evaluate.ts compiles all others: a lane loads it
 * before the first plan that computes.
 */
import { placeOf } from '../columnar/schema.js'
import type { SchemaShape } from '../columnar/type.js'
import { type ErrorCode, MillraceError } from '../errors.js'
import { type CommonParts, commonParts } from '../expressions/common.js'
import type { Expression } from '../expressions/node.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import type { OperatorContext } from './build.js'
import type { Run } from './call.js'
import { type Morsel, RowFailure } from './operator.js'

/** evaluate.ts. */
export type Evaluator = Pick<typeof import('./evaluate.js'), 'compileExpression' | 'compilePredicate' | 'createFilter'>

export interface CompiledExpression {
  /** A column; its data is unspecified at rows that it notes in `failures`. */
  evaluate(morsel: Morsel, failures: Failures): LaneVector
  free(): void
}

export interface CompiledPredicate {
  /** Bitmap of the rows where it is true, and not null. */
  evaluate(morsel: Morsel, failures: Failures): number
  free(): void
}

/** Why a row has no value, and what to try: `'abc' is no number`. */
export interface FailureReason {
  readonly code: ErrorCode
  readonly what: string
  readonly remedy: string
}

interface Failure {
  readonly row: number
  readonly expression: Expression
  /** Null of an integer beyond its type. */
  readonly reason: FailureReason | null
}

/** The least failing row among all expressions of one operator over one morsel; or among a part of them, kept by itself until it is known whether it counts. */
export class Failures {
  least: Failure | null = null
  /** Those of the operator. */
  readonly whole: Failures

  /** @param whole of which they are a part */
  constructor(whole?: Failures) {
    this.whole = whole?.whole ?? this
  }

  note(row: number, expression: Expression, reason: FailureReason | null = null): void {
    if (row >= 0 && (this.least === null || row < this.least.row)) this.least = { row, expression, reason }
  }

  /** @throws RowFailure counted in the morsel as it entered the pipeline. */
  throwIfAny(k: Kernels, { rows }: Morsel): void {
    if (this.least === null) return
    const { row, expression, reason } = this.least
    throw new RowFailure(rows === 0 ? row : k.memory.u32[(rows >>> 2) + row], failed(expression, reason))
  }
}

/** The expression goes along as data: the calling thread prints it, and says in which row of the source it failed. */
const failed = (expression: Expression, reason: FailureReason | null): MillraceError => {
  const operator = expression.op === 'call' ? expression.function : expression.op
  const { code = 'MR_INTEGER_OVERFLOW', ...told } = reason ?? {}
  return new MillraceError(code, `${operator} ${reason?.what ?? 'leaves its integer type'}`, {
    operator,
    expression,
    ...told,
  })
}

/** What is compiled of the expressions of one operator, so that what they have in common is computed once a morsel. */
export interface Shared {
  readonly parts: CommonParts
  readonly runs: Map<number, Run>
}

export const shareParts = (expressions: readonly Expression[]): Shared => ({
  parts: commonParts(expressions),
  runs: new Map(),
})

/** @param shared with the other expressions of its operator, all of which are let go of together */
export function compileExpression(
  context: OperatorContext,
  expression: Expression,
  schema: SchemaShape,
  shared = shareParts([expression]),
): CompiledExpression {
  if (expression.op !== 'column') return evaluatorOf(context).compileExpression(context, expression, schema, shared)
  const position = placeOf(schema, expression.name)
  return { evaluate: ({ columns }) => columns[position], free() {} }
}

export const compilePredicate = (
  context: OperatorContext,
  expression: Expression,
  schema: SchemaShape,
  shared = shareParts([expression]),
): CompiledPredicate => evaluatorOf(context).compilePredicate(context, expression, schema, shared)

export function evaluatorOf({ parts: { evaluate } }: OperatorContext): Evaluator {
  if (evaluate === undefined) throw new Error('the plan computes, and no evaluator was loaded')
  return evaluate
}
