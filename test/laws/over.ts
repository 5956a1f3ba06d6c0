/** Random `over`: partitions, orders and frames over the columns that there are, and what is said of each row. */
import type { ModelAggregate } from '../oracle/aggregate.js'
import type { ModelFrame, ModelOver, ModelPlaced } from '../oracle/over.js'
import { isFloat, isInteger, isNumber, type ModelType, type Value } from '../oracle/value.js'
import type { ModelOrder } from '../oracle/verbs.js'
import type { Choices } from './choices.js'
import type { ColumnState } from './expressions.js'
import { NAMES } from './tables.js'

export function someOver(
  columns: readonly ColumnState[],
  choices: Choices,
  aggregate: () => ModelAggregate,
): ModelOver {
  const keys = columns.filter(({ type }) => type.kind !== 'list').map(({ name }) => name)
  const partitionBy = keys.length > 0 && choices.chance(60) ? choices.some(keys, 2) : []
  const ordered = keys.length > 0 && choices.chance(75) ? choices.some(keys, choices.chance(70) ? 1 : 2) : []
  const orders = ordered.map(
    (name): ModelOrder => ({
      name,
      descending: choices.chance(40),
      nulls: choices.chance(30) ? 'first' : 'last',
    }),
  )
  const frame = choices.chance(65) ? someFrame(orders, columns, choices) : null
  const made = choices
    .some(NAMES, 3)
    .map(name => [name, choices.chance(55) ? aggregate() : somePlaced(columns, orders, choices)] as const)
  return { verb: 'over', partitionBy, orders, frame, columns: made }
}

function someFrame(orders: readonly ModelOrder[], columns: readonly ColumnState[], choices: Choices): ModelFrame {
  const unit = orders.length > 0 && choices.chance(50) ? 'range' : 'rows'
  const type = columns.find(({ name }) => name === orders[0]?.name)?.type as ModelType
  const isDistance =
    unit === 'rows' || (orders.length === 1 && (isNumber(type.kind) || ['timestamp', 'date'].includes(type.kind)))
  const bound = () => (choices.chance(35) ? null : isDistance ? choices.below(9) - 4 : 0)
  const [from, to] = [bound(), bound()]
  return from !== null && to !== null && from > to ? { unit, from: to, to: from } : { unit, from, to }
}

/** Those that are known before all rows are. */
const RUNNING: readonly ModelPlaced['placed'][] = ['lag', 'lead', 'rowNumber', 'ewma', 'rank', 'denseRank']

export function somePlaced(
  columns: readonly ColumnState[],
  orders: readonly ModelOrder[],
  choices: Choices,
  runsOn = false,
): ModelPlaced {
  const ranks = orders.length > 0 ? (['rank', 'denseRank', 'percentRank'] as const) : []
  const all = (['lag', 'lead', 'rowNumber', 'ntile', 'ewma', ...ranks] as const).filter(
    name => !runsOn || RUNNING.includes(name),
  )
  const placed = choices.pick(all)
  if (placed === 'ntile') return { placed, inputs: [], rows: 1 + choices.below(5) }
  if (placed === 'lag' || placed === 'lead') {
    const { name, type } = choices.pick(columns)
    const missing = choices.chance(40) ? valueLike(type, choices) : undefined
    return {
      placed,
      inputs: [{ op: 'column', name }],
      rows: choices.below(4),
      ...(missing === undefined ? {} : { missing }),
    }
  }
  if (placed !== 'ewma') return { placed, inputs: [] }
  const numbers = columns.filter(({ type }) => isNumber(type.kind))
  if (numbers.length === 0) return { placed: 'rowNumber', inputs: [] }
  const input = { op: 'column', name: choices.pick(numbers).name } as const
  return { placed, inputs: [input], alpha: choices.pick([1, 0.5, 0.1, 1 / 3]) }
}

function valueLike({ kind }: ModelType, choices: Choices): Value | undefined {
  if (isInteger(kind)) return choices.pick([0n, 7n])
  if (isFloat(kind)) return choices.pick([0, 0.5])
  if (kind === 'utf8') return choices.pick(['', 'new', '😀'])
  return kind === 'bool' ? choices.chance(50) : undefined
}
