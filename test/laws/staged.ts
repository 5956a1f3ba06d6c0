/** Random verbs of the calling thread: `fillNull` by methods, `map` and `flatMap`. */
import { isFillable, isMappable, type ModelFill, type ModelMap } from '../oracle/staged.js'
import type { Choices } from './choices.js'
import type { ColumnState } from './expressions.js'

/** Not by means: these read their source twice, and a stream is there but once. */
export function someFill(columns: readonly ColumnState[], choices: Choices): ModelFill | null {
  const scalars = columns.filter(({ type }) => type.kind !== 'list')
  if (scalars.length === 0) return null
  return {
    verb: 'fillNull',
    columns: choices.some(scalars, 2).map(column => {
      const method = choices.pick(['previous', 'next', 'linear'] as const)
      return [column.name, method === 'linear' && !isFillable(column) ? 'next' : method] as const
    }),
  }
}

export function someMap(columns: readonly ColumnState[], choices: Choices): ModelMap | null {
  const mappable = columns.filter(({ type }) => isMappable(type))
  if (mappable.length === 0) return null
  const fields = choices.some(mappable, mappable.length).map(({ name, type }) => ({ name, type }))
  return { verb: choices.pick(['map', 'flatMap'] as const), fields, twice: choices.pick(mappable).name }
}
