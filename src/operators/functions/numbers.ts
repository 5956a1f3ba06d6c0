/** Functions of numbers, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { CallNode } from '../../expressions/node.js'
import type { Kernels } from '../../kernels/instance.js'
import type { LaneVector } from '../../kernels/lane-vector.js'
import { abs, sqrt, whereNaN } from '../../kernels/numbers.js'
import type { Computed } from '../../kernels/operand.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'

const UNARY: Readonly<Record<string, (k: Kernels, vector: LaneVector) => Computed>> = {
  abs,
  sqrt,
  isNaN: whereNaN,
}

export function compileCall({ k }: OperatorContext, node: CallNode, [input]: readonly CallInput[]): CompiledCall {
  const compute = UNARY[node.function]
  return {
    run(morsel, failures) {
      const { vector, failedRow } = compute(k, input.column(morsel, failures))
      failures.note(failedRow, node)
      return vector
    },
  }
}
