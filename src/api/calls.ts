/**
 * Methods of handles that call functions: by families, the neighbours in methods/. What is not said here is the same for all: operands are of the
 * handle's own family, and so is the result.
 */
import type { CallParameters } from '../expressions/node.js'
import type { RuntimeFamily } from './columns.js'
import { castMethods } from './methods/casts.js'
import { conditionMethods } from './methods/conditions.js'
import { hashMethods } from './methods/hashes.js'
import { numberMethods } from './methods/numbers.js'
import { stringMethods } from './methods/strings.js'
import { timeMethods } from './methods/times.js'

export interface CallMethod {
  /** Families that have it. */
  readonly of: readonly RuntimeFamily[]
  /** `'typed'`: that of its parameter `type`. */
  readonly gives: RuntimeFamily | 'same' | 'typed' | ((given: readonly unknown[]) => RuntimeFamily)
  /** Whether an operand may be null; else that is refused, since it is seldom meant. */
  readonly takesNull?: true
  /** Arguments as operands and as what the function is told beside them; left out: all are operands. @throws MillraceError */
  readonly split?: (
    given: readonly unknown[],
    name: string,
  ) => readonly [operands: readonly unknown[], parameters?: CallParameters]
  /** Where it is true of the arguments the method is the operator of the tree that has its name, not the function. */
  readonly isOperator?: (given: readonly unknown[]) => boolean
}

export type CallMethods = Readonly<Record<string, CallMethod>>

export const CALL_METHODS: CallMethods = {
  ...numberMethods,
  ...stringMethods,
  ...timeMethods,
  ...conditionMethods,
  ...castMethods,
  ...hashMethods,
}
