/** Random functions of time over given columns, steered by a tape. None fails of the instants and days that tables have. */
import type { ModelExpression } from '../oracle/expression.js'
import type { ModelParameters } from '../oracle/functions.js'
import type { Choices } from './choices.js'
import type { ColumnState } from './expressions.js'

interface Options {
  readonly columns: readonly ColumnState[]
  readonly choices: Choices
}

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', '+05:30', 'UTC'] as const
const OF_DAYS = ['quarter', 'week', 'day', 'dayOfYear', 'year', 'month', 'dayOfWeek'] as const
const OF_CLOCKS = ['hour', 'minute', 'second', 'millisecond'] as const

const times = ({ columns }: Options) => columns.filter(({ type }) => type.kind === 'timestamp' || type.kind === 'date')

/** A part or a distance, below 2^31 in size; or null where no column can give one. */
export function timeNumber(options: Options): { expression: ModelExpression; kind: 'int32' | 'int64' } | null {
  const { choices } = options
  if (times(options).length === 0) return null
  const { name, type } = choices.pick(times(options))
  const input: ModelExpression = { op: 'column', name }
  const peers = times(options).filter(peer => peer.type.kind === type.kind)
  if (choices.chance(20)) {
    const by = choices.pick(['day', 'week', 'month', 'year', '3 days'])
    return {
      expression: call('diff', [input, { op: 'column', name: choices.pick(peers).name }], { by }),
      kind: 'int64',
    }
  }
  const isDate = type.kind === 'date'
  // Without a zone these are operators of the tree where they can be.
  const zone = isDate || choices.chance(40) ? {} : { zone: choices.pick(ZONES) }
  const names = isDate || choices.chance(50) ? OF_DAYS : OF_CLOCKS
  const fitting = 'zone' in zone ? names : names.filter(each => !/^(year|month|dayOfWeek|hour)$/.test(each))
  return { expression: call(choices.pick<string>(fitting), [input], zone), kind: 'int32' }
}

/** An instant or a day, or null where no column can give one. */
export function timeExpression(options: Options): ModelExpression | null {
  const { choices } = options
  if (times(options).length === 0) return null
  const { name, type } = choices.pick(times(options))
  const input: ModelExpression = { op: 'column', name }
  if (type.kind === 'date') return call('truncate', [input], { by: choices.pick(['month', 'quarter', 'year']) })
  const zone = choices.chance(40) ? { zone: choices.pick(ZONES) } : {}
  const by = choices.pick(['15m', 'hour', '6h', 'day', 'week', 'month'])
  const moves = choices.pick(['1h', '-90m', '1 day', '-1 week', '1 month', '-1 month'])
  return choices.pick([
    () => call('truncate', [input], { by, ...zone }),
    () => call('add', [input], { by: moves, ...zone }),
    () => call('date', [input], zone),
  ])()
}

const call = (name: string, inputs: readonly ModelExpression[], parameters: ModelParameters): ModelExpression => ({
  op: 'call',
  function: name,
  inputs,
  parameters,
})
