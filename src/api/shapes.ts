/** What `sample` and `unpivot` are told, checked, and made into nodes. */
import type { SchemaShape } from '../columnar/type.js'
import type { PlanNode, SampleNode, UnpivotNode } from '../plan/logical.js'
import { sampleNode, unpivotNode } from '../plan/shape.js'
import { optionsOf, wholeNumber } from './options.js'
import { invalid, mismatch, show } from './refusal.js'

/** How many rows `sample` keeps: a number of them, or the chance of each. */
export type SampleOptions =
  | { readonly n: number; readonly fraction?: undefined; readonly seed?: number }
  | { readonly fraction: number; readonly n?: undefined; readonly seed?: number }

export function sampleOf(input: PlanNode, options: SampleOptions): SampleNode {
  const { n, fraction, seed = 0 } = optionsOf('sample', options, '{ n: 1000 }', ['n', 'fraction', 'seed'])
  if ((n === undefined) === (fraction === undefined))
    throw invalid('sample', 'say either how many rows, as in { n: 1000 }, or what fraction of them, { fraction: 0.01 }')
  if (n !== undefined) wholeNumber('sample', 'n', n, 0, 2 ** 31)
  if (fraction !== undefined && !(typeof fraction === 'number' && fraction >= 0 && fraction <= 1))
    throw invalid('sample', `fraction is a number from 0 to 1, not ${show(fraction)}`)
  wholeNumber('sample', 'seed', seed, 0, Number.MAX_SAFE_INTEGER)
  return sampleNode(input, n ?? null, fraction ?? null, seed + 0)
}

export interface UnpivotOptions<N extends string = string, I extends string = string> {
  /** The columns whose values are listed. */
  readonly on: readonly N[]
  /** The columns that are repeated beside them; left out: all others. */
  readonly index?: readonly I[]
  /** Of the column of names. Default 'variable'. */
  readonly variableName?: string
  /** Of the column of values. Default 'value'. */
  readonly valueName?: string
}

export function unpivotOf(input: PlanNode, schema: SchemaShape | null, options: UnpivotOptions): UnpivotNode {
  const example = "{ on: ['jan', 'feb'] }"
  const {
    on,
    index,
    variableName = 'variable',
    valueName = 'value',
  } = optionsOf('unpivot', options, example, ['on', 'index', 'variableName', 'valueName'])
  for (const [what, names] of Object.entries({ on, index })) {
    if (!Array.isArray(names) && !(what === 'index' && names === undefined))
      throw mismatch('unpivot', `unpivot: ${what} is an array of names, as in ${example}, not ${show(names)}`)
  }
  for (const [what, name] of Object.entries({ variableName, valueName })) {
    if (typeof name !== 'string') throw mismatch('unpivot', `unpivot: ${what} is a name, not ${show(name)}`)
  }
  return unpivotNode(input, schema, { on, index: index ?? null, variableName, valueName })
}
