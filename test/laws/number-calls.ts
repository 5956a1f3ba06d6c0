/** Random calls of functions of numbers. */
import type { ModelExpression } from '../oracle/expression.js'
import { isFloat, isInteger, type Value } from '../oracle/value.js'
import type { ExpressionOptions, NumberExpression } from './expressions.js'
import { numberExpression } from './expressions.js'

/** What is added to a magnitude at most, by a bucket or by rounding to hundreds. */
const SLACK = 1100n

export function numberCall(options: ExpressionOptions, input: NumberExpression): NumberExpression {
  const { choices } = options
  const { kind, magnitude } = input
  const same = isInteger(kind) ? 'int64' : 'float64'
  const of = (name: string, ...others: ModelExpression[]): ModelExpression => ({
    op: 'call',
    function: name,
    inputs: [input.expression, ...others],
  })
  switch (choices.below(7)) {
    case 0: {
      const name = choices.pick(['abs', 'sign', 'floor', 'ceil'] as const)
      return { expression: of(name), kind: same, magnitude: name === 'sign' ? 1n : magnitude }
    }
    case 1: {
      const name = choices.pick(['sqrt', 'exp', 'ln', 'log10'] as const)
      return { expression: of(name), kind: 'float64', magnitude: 0n }
    }
    case 2: {
      const decimals = choices.pick([0, 2, 1, -1, 5, 22, -2])
      return {
        expression: { ...of('round'), parameters: { decimals } } as ModelExpression,
        kind: same,
        magnitude: magnitude + SLACK,
      }
    }
    case 3: {
      const [width, offset] = choices.pick([
        [10, 0],
        [1, 0],
        [7, -3],
        [1000, 5],
        [0.5, 0],
        [3, 0.25],
        [1e-3, 1],
      ] as const)
      const isWhole = Number.isInteger(width) && Number.isInteger(offset) && isInteger(kind)
      return {
        expression: { ...of('bucket'), parameters: { width, offset } } as ModelExpression,
        kind: isWhole ? 'int64' : 'float64',
        magnitude: magnitude + SLACK,
      }
    }
    case 4: {
      const exponent = bound(options) ?? literal(2)
      return { expression: of('pow', exponent.expression), kind: 'float64', magnitude: 0n }
    }
    default: {
      const low = bound(options)
      const high =
        low === null || choices.chance(50)
          ? literal(choices.pick([100n, 2n ** 40n, 2.5, 300n]))
          : numberExpression(options, 0)
      const bounds = [low, high].map(each => each ?? literal(null))
      const kinds = [kind, ...bounds.map(each => each.kind)]
      return {
        expression: of('clamp', ...bounds.map(({ expression }) => expression)),
        kind: kinds.some(isFloat) ? 'float64' : 'int64',
        magnitude: [magnitude, ...bounds.map(each => each.magnitude)].reduce((a, b) => (a > b ? a : b)),
      }
    }
  }
}

/** A column, or a literal below those that stand for the upper bound: two literals that cross would be refused. */
function bound(options: ExpressionOptions): NumberExpression | null {
  const { choices } = options
  return choices.chance(40) ? numberExpression(options, 0) : literal(choices.pick([-3n, 0n, 2n, -0.5, 0.5, 0.1]))
}

function literal(value: Value): NumberExpression {
  const kind = typeof value === 'number' ? 'float64' : 'int64'
  const expression: ModelExpression = { op: 'literal', value, type: { kind, nullable: value === null } }
  return { expression, kind, magnitude: typeof value === 'bigint' ? (value < 0n ? -value : value) : 0n }
}
