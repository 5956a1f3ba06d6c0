/** Functions that choose among values: what they give has the type that holds all of them (unify.ts). */
import { nullable } from '../../columnar/type.js'
import type { Functions } from '../calls.js'
import { resolveCompare } from '../comparing.js'
import { literalOf } from '../literal.js'
import { hull } from '../range.js'
import type { Typed } from '../typing.js'
import { literalTyped, logical, mismatch, withNull } from '../typing.js'
import { unified } from '../unify.js'

export const conditionFunctions: Functions = {
  coalesce: {
    takes({ function: name }, given, scope) {
      if (given.length === 0) throw mismatch(scope.operator, `${name} takes values, and there is none`)
      const { inputs, type } = unified(given, name, scope)
      return { inputs, type: withNull(type, inputs.every(isNullable)) }
    },
    range: (_, inputs) => hull(inputs),
  },
  /** Inputs are condition, value, condition, value, ..., and what else there is: null where it is left out. */
  when: {
    takes({ function: name }, given, scope) {
      if (given.length < 2) throw mismatch(scope.operator, `${name} takes a condition and a value`)
      const otherwise = given.length % 2 === 1 ? given.slice(-1) : [untypedNull]
      const count = given.length >> 1
      const conditions = given.slice(0, 2 * count).filter((_, i) => i % 2 === 0)
      const values = given.slice(0, 2 * count).filter((_, i) => i % 2 === 1)
      const { inputs, type } = unified([...values, ...otherwise], name, scope)
      const taken = conditions.flatMap((condition, i) => [logical(condition, name, scope), inputs[i]])
      return { inputs: [...taken, inputs[count]], type: withNull(type, inputs.some(isNullable)) }
    },
    range: (_, inputs) => hull(inputs.filter((_, i) => i % 2 === 1 || i === inputs.length - 1)),
  },
  /** Null where both are equal, else the first: `when` says it. */
  nullIf: {
    takes({ function: name }, given, scope) {
      if (given.length !== 2) throw mismatch(scope.operator, `${name} takes two values, not ${given.length}`)
      const [value, other] = given
      const { inputs, type } = unified([value], name, scope)
      const equal = resolveCompare('eq', value, other, scope)
      const none = literalTyped(null, type)
      return { function: 'when', inputs: [equal, none, inputs[0]], type: nullable(type) }
    },
  },
}

const untypedNull: Typed = {
  node: Object.freeze({ op: 'literal', value: null }),
  type: literalOf(null, { kind: 'float64', nullable: true }).type as Typed['type'],
}

const isNullable = ({ type }: Typed): boolean => type.nullable
