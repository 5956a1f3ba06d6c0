/** Random functions of strings over given columns, steered by a tape. */
import type { ModelExpression } from '../oracle/expression.js'
import type { ModelParameters } from '../oracle/functions.js'
import type { Choices } from './choices.js'
import type { ColumnState } from './expressions.js'

interface Options {
  readonly columns: readonly ColumnState[]
  readonly choices: Choices
}

const PARTS = ['a', '', 'b', ' ', '😀', '\uFF5E', 'ab', 'l', 'longer', '\u0000', 'é', 'zz', 'ß'] as const

/** A string, or null where no column can give one. */
export function textExpression(options: Options, depth: number): ModelExpression | null {
  const { choices, columns } = options
  const texts = columns.filter(({ type }) => type.kind === 'utf8')
  if (texts.length === 0) return null
  const leaf: ModelExpression = { op: 'column', name: choices.pick(texts).name }
  if (depth === 0 || !choices.chance(70)) return leaf
  const input = textExpression(options, depth - 1) as ModelExpression
  const other = () => operand(options, depth)
  const some = (least: number, most: number) => least + choices.below(most - least + 1)
  return choices.pick<() => ModelExpression>([
    () => call(choices.pick(['lower', 'upper', 'trim', 'trimStart', 'trimEnd', 'reverse']), [input]),
    () => call('slice', [input], { start: some(-4, 4), ...(choices.chance(50) ? {} : { end: some(-4, 6) }) }),
    () => call('concat', [input, ...Array.from({ length: choices.below(3) }, other)]),
    () => call(choices.pick(['replace', 'replaceFirst']), [input, other(), other()]),
    () => call(choices.pick(['padStart', 'padEnd']), [input], { length: some(0, 9), fill: choices.pick(PARTS) }),
    () => call('repeat', [input], { count: choices.below(4) }),
    () => call('split', [input], { separator: choices.pick(PARTS.filter(part => part !== '')), index: some(-3, 3) }),
  ])()
}

/** A number of a string. */
export function textNumber(options: Options, depth: number): { name: string; expression: ModelExpression } | null {
  const input = textExpression(options, depth)
  if (input === null) return null
  const name = options.choices.pick(['length', 'indexOf', 'toNumber'] as const)
  return { name, expression: call(name, name === 'indexOf' ? [input, operand(options, depth)] : [input]) }
}

/** A truth about a string. */
export function textTest(options: Options, depth: number): ModelExpression | null {
  const input = textExpression(options, depth)
  if (input === null) return null
  return call(options.choices.pick(['contains', 'startsWith', 'endsWith']), [input, operand(options, depth)])
}

function operand(options: Options, depth: number): ModelExpression {
  const { choices } = options
  if (choices.chance(40)) return textExpression(options, Math.max(0, depth - 1)) as ModelExpression
  return { op: 'literal', value: choices.pick(PARTS), type: { kind: 'utf8', nullable: false } }
}

const call = (name: string, inputs: readonly ModelExpression[], parameters?: ModelParameters): ModelExpression => ({
  op: 'call',
  function: name,
  inputs,
  ...(parameters === undefined ? {} : { parameters }),
})
