/** What the parts of a lane that compute functions (functions/) are given of a call, and give. */
import type { CallNode, Expression } from '../expressions/node.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import type { Operand } from '../kernels/operand.js'
import type { OperatorContext } from './build.js'
import type { Failures } from './compiled.js'
import type { Morsel } from './operator.js'

/** Computes one node of a tree over a morsel; a result is in scratch, or one of the morsel's own columns. */
export type Run = (morsel: Morsel, failures: Failures) => Operand

export interface CallInput {
  /** For functions that look for constants among their inputs. */
  readonly node: Expression
  readonly operand: Run
  /** The same, and a constant as a column. */
  column(morsel: Morsel, failures: Failures): LaneVector
  /** The same of some rows, of a bitmap that is wanted only where one fails (for-rows.ts); null where these are none, and others fail. */
  forRows(morsel: Morsel, failures: Failures, rows: () => number): Operand | null
}

export interface CompiledCall {
  readonly run: Run
  /** Lets go of what is kept from morsel to morsel. */
  free?(): void
}

/** A part: `node` is resolved, so its inputs are of the types that its signature says, and its `type` is there. */
export interface CallCompiler {
  compileCall(context: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall
}
