/** What each function of strings asks of its items: kernels of kernels/strings.ts, or JavaScript. */
import { UNITS_PER_SECOND } from '../columnar/instant.js'
import type { DataType, TimeUnit } from '../columnar/type.js'
import type { CallNode } from '../expressions/node.js'
import type { Kernels } from '../kernels/instance.js'
import {
  built,
  has,
  inCase,
  instantsOf,
  jsonValues,
  lengths,
  numbersOf,
  pieceOf,
  places,
  sliced,
  trimmed,
} from '../kernels/strings.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { TextFunction } from '../kernels/text-entries.js'
import type { FailureReason } from './compiled.js'
import { strings, ticks, truths } from './text/asked.js'
import { jsonAt, parseJsonPath } from './text/json-path.js'
import { longestString } from './text/pattern-time.js'
import { timeParser } from './text/time-format.js'

export interface ConfiguredFunction extends TextFunction {
  /** Inputs behind those that the call has. */
  readonly constants: readonly string[]
  /** Of rows that are refused. */
  readonly refusal: FailureReason | null
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
    { mayBeNull = false, constants = [] as readonly string[], refusal = null as FailureReason | null } = {},
  ): ConfiguredFunction => ({ width, mayBeNull, ask, constants, refusal })
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
    case 'matches': {
      const { pattern, most, refusal } = patternOf(node)
      return gives(1, items => truths(k, items, text => pattern.test(text), most), { refusal })
    }
    case 'extract': {
      const { pattern, most, refusal } = patternOf(node)
      const { group } = parameters
      const found = (text: string): string | null => {
        const match = pattern.exec(text)
        return (typeof group === 'string' ? match?.groups?.[group] : match?.[Number(group)]) ?? null
      }
      return gives(4, items => strings(k, items, into(), found, most), { mayBeNull: true, refusal })
    }
    case 'parseTime': {
      const perSecond = UNITS_PER_SECOND[(node.type as DataType).unit as TimeUnit]
      if (parameters.format === undefined)
        return gives(8, items => instantsOf(k, perSecond, items), { mayBeNull: true })
      const parse = timeParser(text('format'), BigInt(perSecond), name)
      return gives(8, items => ticks(k, items, parse), { mayBeNull: true })
    }
    case 'json': {
      const path = parseJsonPath(text('path'), name)
      return gives(4, items => jsonValues(k, path, items, into(), text => jsonAt(text, path)), { mayBeNull: true })
    }
    default:
      throw new Error(`there is no function ${name}`)
  }
}

function patternOf({ function: name, parameters = {} }: CallNode) {
  const { source, flags } = parameters as { readonly source: string; readonly flags: string }
  const most = longestString(source, flags, name)
  const refusal: FailureReason = {
    code: 'MR_INVALID_OPTION',
    what: `takes strings of up to ${most} characters for this pattern, whose time may grow with a power of their length`,
    remedy: 'begin it with ^, or write it so that what is repeated cannot match the text of its neighbours',
  }
  return { pattern: new RegExp(source, flags), most, refusal }
}
