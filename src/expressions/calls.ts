/**
 * Functions of values: what each takes and gives, and which part of a lane computes it. typing.ts resolves the rest of the tree; a resolved call has
 * its inputs cast to what the function takes, and the type of its result. The functions themselves are the neighbours in functions/.
 */
import { bool, type DataType, float64, int32, int64, isTime, utf8 } from '../columnar/type.js'
import { quote } from '../errors.js'
import { castFunctions } from './functions/casts.js'
import { conditionFunctions } from './functions/conditions.js'
import { hashFunctions } from './functions/hashes.js'
import { numberFunctions } from './functions/numbers.js'
import { stringFunctions } from './functions/strings.js'
import { timeFunctions } from './functions/times.js'
import { userKernelFunctions } from './functions/user-kernels.js'
import { literalOf } from './literal.js'
import type { CallNode, CallPart } from './node.js'
import { RANGES, type Range } from './range.js'
import {
  describe,
  isIntegral,
  isUntyped,
  logical,
  mismatch,
  numeric,
  operandAs,
  type Scope,
  settle,
  type Typed,
  withNull,
} from './typing.js'

/** Of one call, in place of what a text of letters cannot say. With `function` and `parameters` it is another call, with `node` no call at all. */
export type CallTyping = (node: CallNode, inputs: readonly Typed[], scope: Scope) => ResolvedCall | Typed

export interface ResolvedCall {
  readonly function?: string
  readonly inputs: readonly Typed[]
  readonly parameters?: CallNode['parameters']
  readonly type: DataType
}

export interface FunctionSignature {
  /**
   * What it takes and gives, `ff>f`, a letter each: `f` float64, of any number; `i` int64, of any integer; `n` int64 where all of them are integers, else
   * float64; `s` utf8; `b` bool; `t` a date or a timestamp; `*` anything; before `+`, one or more. It gives `f i n s b`, `j` for int32, or `=`, the type of its
   * first input; null where an input is, and where that is a capital letter for other reasons too.
   */
  readonly takes: string | CallTyping
  /** Whether there are values that it fails of, beside those whose `range` is beyond int64. */
  readonly fails?: true | ((node: CallNode, inputs: readonly (Range | null)[]) => boolean)
  /** Whether the result may be null, where that is another question than whether an input may. */
  readonly isNullable?: (inputs: readonly Typed[]) => boolean
  /** Bounds of an integer result, beyond int64 where it fails, of those of its inputs; null: of no integer. Left out: those of its type. */
  readonly range?: (node: CallNode, inputs: readonly (Range | null)[]) => Range | null
}

export type Functions = Readonly<Record<string, FunctionSignature>>

const PARTS: Readonly<Record<CallPart, Functions>> = {
  numbers: numberFunctions,
  strings: stringFunctions,
  times: timeFunctions,
  conditions: conditionFunctions,
  casts: castFunctions,
  hashes: hashFunctions,
  userKernels: userKernelFunctions,
}

/** @throws Error where there is no such function: typing has refused it before. */
function partOfCall(name: string): CallPart {
  for (const [part, functions] of Object.entries(PARTS)) if (Object.hasOwn(functions, name)) return part as CallPart
  throw new Error(`there is no function ${name}`)
}

const signatureOf = ({ function: name }: CallNode): FunctionSignature => PARTS[partOfCall(name)][name]

export function callCanFail(node: CallNode, inputs: () => readonly (Range | null)[]): boolean {
  const { fails = false } = signatureOf(node)
  return typeof fails === 'function' ? fails(node, inputs()) : fails
}

export function callRange(node: CallNode, inputs: () => readonly (Range | null)[]): Range | null {
  const { kind } = node.type as DataType
  return signatureOf(node).range?.(node, inputs()) ?? RANGES[kind] ?? null
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for inputs that the function does not take */
export function resolveCall(node: CallNode, inputs: readonly Typed[], scope: Scope): Typed {
  const { function: name } = node
  const signature = Object.values(PARTS).find(functions => Object.hasOwn(functions, name))?.[name]
  if (signature === undefined) throw mismatch(scope.operator, `there is no function ${quote(name)}`)
  const { takes } = signature
  const resolved = typeof takes === 'string' ? byLetters(signature, name, inputs, scope) : takes(node, inputs, scope)
  if ('node' in resolved) return resolved
  const { inputs: taken, ...told } = resolved
  return {
    node: Object.freeze({
      ...node,
      ...told,
      part: partOfCall(resolved.function ?? name),
      inputs: Object.freeze(taken.map(input => input.node)),
    }),
    type: resolved.type,
  }
}

function byLetters(
  { takes, isNullable }: FunctionSignature,
  name: string,
  inputs: readonly Typed[],
  scope: Scope,
): ResolvedCall {
  const [given, result] = (takes as string).split('>')
  const letters = given.replaceAll('+', '')
  const repeats = given.endsWith('+')
  if (inputs.length < letters.length || (inputs.length > letters.length && !repeats)) {
    throw mismatch(
      scope.operator,
      `${name} takes ${letters.length}${repeats ? ' or more' : ''} values, not ${inputs.length}`,
    )
  }
  const of = (i: number) => letters[Math.min(i, letters.length - 1)]
  const numbers = inputs.filter((_, i) => of(i) === 'n')
  for (const input of numbers) numeric(input, name, scope)
  const kind = numbers.every((input, i) => isIntegral(input, numbers[i === 0 ? numbers.length - 1 : 0]))
    ? int64()
    : float64()
  const taken = inputs.map((input, i) => take(of(i), name, input, kind, scope))
  const mayBeNull = isNullable?.(taken) ?? (taken.some(input => input.type.nullable) || result !== result.toLowerCase())
  return { inputs: taken, type: withNull(resultOf(result.toLowerCase(), kind, taken), mayBeNull) }
}

function resultOf(letter: string, kind: DataType, [first]: readonly Typed[]): DataType {
  if (letter === '=') return first.type
  return { f: float64(), i: int64(), j: int32(), n: kind, s: utf8(), b: bool() }[letter] as DataType
}

/** One input as what a letter stands for. */
function take(letter: string, name: string, input: Typed, kind: DataType, scope: Scope): Typed {
  switch (letter) {
    case 'f':
      return operandAs(numeric(input, name, scope), float64(), scope)
    case 'n':
      return operandAs(input, kind, scope)
    case 'i':
      numeric(input, name, scope)
      if (!isIntegral(input, input)) throw mismatch(scope.operator, `${name} takes integers, not ${describe(input)}`)
      return operandAs(input, int64(), scope)
    case 'b':
      return logical(input, name, scope)
    case 's':
      return ofType(input, utf8(), name, 'strings', scope)
    case 't': {
      const time = settle(input, scope.operator)
      if (isTime(time.type.kind)) return time
      throw mismatch(scope.operator, `${name} takes a date or a timestamp, not ${describe(time)}`)
    }
    default:
      return settle(input, scope.operator)
  }
}

function ofType(input: Typed, type: DataType, name: string, what: string, scope: Scope): Typed {
  if (isUntyped(input.node) && input.node.value === null) {
    const node = literalOf(null, type)
    return { node, type: node.type as DataType }
  }
  const settled = settle(input, scope.operator)
  if (settled.type.kind === type.kind) return settled
  throw mismatch(
    scope.operator,
    `${name} takes ${what}, not ${describe(settled)}`,
    settled.node.op === 'column' ? settled.node.name : undefined,
  )
}
