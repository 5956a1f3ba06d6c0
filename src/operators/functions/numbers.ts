/** Functions of numbers, compiled: a part of lanes, loaded for the first plan that calls one. */
import type { CallNode } from '../../expressions/node.js'
import type { Kernels } from '../../kernels/instance.js'
import type { LaneVector } from '../../kernels/lane-vector.js'
import * as numbers from '../../kernels/numbers.js'
import type { Computed, Operand } from '../../kernels/operand.js'
import type { OperatorContext } from '../build.js'
import type { CallInput, CompiledCall } from '../call.js'

const UNARY: Readonly<Record<string, (k: Kernels, vector: LaneVector) => Computed>> = {
  abs: numbers.abs,
  sign: numbers.sign,
  sqrt: numbers.sqrt,
  exp: numbers.exp,
  ln: numbers.ln,
  log10: numbers.log10,
  floor: numbers.floor,
  ceil: numbers.ceil,
  isNaN: numbers.whereNaN,
}

export function compileCall({ k }: OperatorContext, node: CallNode, inputs: readonly CallInput[]): CompiledCall {
  const [input, ...others] = inputs
  const compute = functionOf(k, node)
  return {
    run(morsel, failures) {
      const { rowCount } = morsel
      // Constants are left to those that take several.
      const first =
        others.length === 0 || node.function === 'clamp'
          ? input.column(morsel, failures)
          : input.operand(morsel, failures)
      const { vector, failedRow } = compute(
        first,
        others.map(({ operand }) => operand(morsel, failures)),
        rowCount,
      )
      failures.note(failedRow, node)
      return vector
    },
  }
}

function functionOf(
  k: Kernels,
  { function: name, parameters = {} }: CallNode,
): (first: Operand, others: readonly Operand[], rowCount: number) => Computed {
  switch (name) {
    case 'round':
      return first => numbers.round(k, first as LaneVector, Number(parameters.decimals ?? 0))
    case 'clamp':
      return (first, [low, high]) => numbers.clamp(k, first as LaneVector, low, high)
    case 'bucket': {
      const { width, offset } = parameters as { width: number | bigint; offset: number | bigint }
      return first => numbers.bucket(k, first as LaneVector, width, offset)
    }
    case 'pow':
      return (first, [exponent], rowCount) => numbers.pow(k, first, exponent, rowCount)
    default:
      return first => UNARY[name](k, first as LaneVector)
  }
}
