/** Functions of strings. */
import { type DataType, nullable, type TimeUnit, timestamp, utf8 } from '../../columnar/type.js'
import { type CallTyping, type Functions, resolveCall } from '../calls.js'
import type { CallNode, CallParameters } from '../node.js'
import { describe, mismatch, type Scope, settle, type Typed } from '../typing.js'

export const stringFunctions: Functions = {
  lower: { takes: 's>s' },
  upper: { takes: 's>s' },
  trim: { takes: 's>s' },
  trimStart: { takes: 's>s' },
  trimEnd: { takes: 's>s' },
  slice: { takes: 's>s' },
  concat: { takes: 's+>s' },
  replace: { takes: 'sss>s' },
  replaceFirst: { takes: 'sss>s' },
  padStart: { takes: 's>s' },
  padEnd: { takes: 's>s' },
  repeat: { takes: 's>s' },
  reverse: { takes: 's>s' },
  split: { takes: 's>S' },
  length: { takes: 's>j' },
  indexOf: { takes: 'ss>j' },
  contains: { takes: 'ss>b' },
  startsWith: { takes: 'ss>b' },
  endsWith: { takes: 'ss>b' },
  toNumber: { takes: 's>F' },
  // Of a string that is too long for its pattern.
  matches: { takes: 's>b', fails: true },
  extract: { takes: 's>S', fails: true },
  parseTime: { takes: parseTime },
  json: { takes: json },
}

/** In a zone it is what clocks show there, and made an instant of by another function. */
function parseTime(...[node, [given], scope]: Parameters<CallTyping>): ReturnType<CallTyping> {
  const { zone, ...parameters } = node.parameters ?? {}
  const unit = (parameters.unit ?? 'ms') as TimeUnit
  const parsed = { inputs: [text(given, node, scope)], parameters, type: nullable(timestamp(unit)) }
  return zone === undefined ? parsed : called('atZone', call(node, parameters), [given], { zone }, scope)
}

/** A value of another type is the text of one, as far as it is that. */
function json(...[node, [given], scope]: Parameters<CallTyping>): ReturnType<CallTyping> {
  const { type, ...parameters } = node.parameters ?? {}
  const found = { inputs: [text(given, node, scope)], parameters, type: nullable(utf8()) }
  if (type === undefined || (type as DataType).kind === 'utf8') return found
  return called('tryCast', call(node, parameters), [given], { type }, scope)
}

const call = ({ function: name, inputs }: CallNode, parameters: CallParameters): CallNode => ({
  op: 'call',
  function: name,
  inputs,
  parameters,
})

/** `name` of what `inner` gives. */
function called(
  name: string,
  inner: CallNode,
  given: readonly Typed[],
  parameters: CallParameters,
  scope: Scope,
): Typed {
  const input = resolveCall(inner, given, scope)
  return resolveCall({ op: 'call', function: name, inputs: [input.node], parameters }, [input], scope)
}

function text(given: Typed, { function: name }: CallNode, { operator }: Scope): Typed {
  const input = settle(given, operator)
  if (input.type.kind === 'utf8') return input
  throw mismatch(operator, `${name} takes strings, not ${describe(input)}`)
}
