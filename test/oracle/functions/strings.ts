/** Functions of strings, by JavaScript's own on arrays of code points. */
import type { ModelFunction, ModelFunctions } from '../functions.js'
import type { ModelKind, ModelType, Value } from '../value.js'

type Compute = (texts: readonly string[], parameters: Readonly<Record<string, any>>) => Value

/** Null where an input is. */
function of(kind: ModelKind, compute: Compute, mayBeNull = false): ModelFunction {
  return {
    type: (inputs: readonly ModelType[]) => ({ kind, nullable: mayBeNull || inputs.some(({ nullable }) => nullable) }),
    evaluate: (values, { parameters }) =>
      values.includes(null) ? null : compute(values as readonly string[], parameters),
  }
}

const points = (text: string): string[] => Array.from(text)

/** Before which code point `part` is in `text`; unlike JavaScript's never in the middle of one, which no well-formed string is anyway. */
function placeOf(text: string, part: string): number {
  const at = text.indexOf(part)
  return at < 0 ? -1 : points(text.slice(0, at)).length
}

function pad(text: string, length: number, fill: string): string {
  const missing = length - points(text).length
  if (missing <= 0 || fill === '') return ''
  return points(fill.repeat(missing)).slice(0, missing).join('')
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function toNumber(text: string): number | null {
  const trimmed = text.trim()
  if (NUMBER.test(trimmed)) return Number(trimmed)
  if (/^[+-]?inf(inity)?$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity
  return /^[+-]?nan$/i.test(trimmed) ? NaN : null
}

export const stringFunctions: ModelFunctions = {
  lower: of('utf8', ([text]) => text.toLowerCase()),
  upper: of('utf8', ([text]) => text.toUpperCase()),
  trim: of('utf8', ([text]) => text.trim()),
  trimStart: of('utf8', ([text]) => text.trimStart()),
  trimEnd: of('utf8', ([text]) => text.trimEnd()),
  slice: of('utf8', ([text], { start, end }) => points(text).slice(start, end).join('')),
  concat: of('utf8', texts => texts.join('')),
  replace: of('utf8', ([text, part, by]) => (part === '' ? text : text.split(part).join(by))),
  replaceFirst: of('utf8', ([text, part, by]) => (part === '' ? text : text.replace(part, () => by))),
  padStart: of('utf8', ([text], { length, fill }) => pad(text, length, fill) + text),
  padEnd: of('utf8', ([text], { length, fill }) => text + pad(text, length, fill)),
  repeat: of('utf8', ([text], { count }) => text.repeat(count)),
  reverse: of('utf8', ([text]) => points(text).reverse().join('')),
  split: of('utf8', ([text], { separator, index }) => text.split(separator).at(index) ?? null, true),
  length: of('int32', ([text]) => BigInt(points(text).length)),
  indexOf: of('int32', ([text, part]) => BigInt(placeOf(text, part))),
  contains: of('bool', ([text, part]) => text.includes(part)),
  startsWith: of('bool', ([text, part]) => text.startsWith(part)),
  endsWith: of('bool', ([text, part]) => text.endsWith(part)),
  matches: of('bool', ([text], { source, flags }) => new RegExp(source, flags).test(text)),
  extract: of(
    'utf8',
    ([text], { source, flags, group }) => text.match(new RegExp(source, flags))?.[group] ?? null,
    true,
  ),
  toNumber: of('float64', ([text]) => toNumber(text), true),
}
