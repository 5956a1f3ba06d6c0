/** What each function of strings asks of its items: kernels of kernels/strings.ts, or JavaScript. */
import type { CallNode } from '../expressions/node.js'
import type { Kernels } from '../kernels/instance.js'
import { built, has, inCase, lengths, numbersOf, pieceOf, places, sliced, trimmed } from '../kernels/strings.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { TextFunction } from '../kernels/text-entries.js'

export interface ConfiguredFunction extends TextFunction {
  /** Inputs behind those that the call has. */
  readonly constants: readonly string[]
}

const END = 2 ** 31 - 1

/** @param into the dictionary of the results. */
export function textFunction(k: Kernels, node: CallNode, into: () => LaneDictionary): ConfiguredFunction {
  const { function: name, parameters = {} } = node
  const number = (key: string, otherwise = 0): number => (parameters[key] as number | undefined) ?? otherwise
  const text = (key: string): string => parameters[key] as string
  const gives = (
    width: 1 | 4 | 8,
    ask: TextFunction['ask'],
    { mayBeNull = false, constants = [] as readonly string[] } = {},
  ): ConfiguredFunction => ({ width, mayBeNull, ask, constants })
  switch (name) {
    case 'lower':
    case 'upper':
      return gives(4, items => inCase(k, name, items, into()))
    case 'trim':
    case 'trimStart':
    case 'trimEnd':
      return gives(4, items => trimmed(k, name, items, into()))
    case 'slice':
      return gives(4, items => sliced(k, number('start'), number('end', END), items, into()))
    case 'concat':
    case 'replace':
    case 'replaceFirst':
    case 'reverse':
      return gives(4, items => built(k, name, 0, items, into()))
    case 'repeat':
      return gives(4, items => built(k, name, number('count'), items, into()))
    case 'padStart':
    case 'padEnd':
      return gives(4, items => built(k, name, number('length'), items, into()), { constants: [text('fill')] })
    case 'split':
      return gives(4, items => pieceOf(k, number('index'), items, into()), {
        mayBeNull: true,
        constants: [text('separator')],
      })
    case 'length':
      return gives(4, items => lengths(k, items))
    case 'indexOf':
      return gives(4, items => places(k, items))
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return gives(1, items => has(k, name, items))
    case 'toNumber':
      return gives(8, items => numbersOf(k, items), { mayBeNull: true })
    default:
      throw new Error(`there is no function ${name}`)
  }
}
