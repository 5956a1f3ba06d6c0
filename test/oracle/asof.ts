/** `asofJoin` of the naive model: every row of the other side is looked at for each row. */
import { areEqual, commonType, orNull, place } from './join.js'
import {
  compareValues,
  isInteger,
  type ModelField,
  type ModelRow,
  type ModelTable,
  type ModelType,
  NANOSECONDS_PER,
  type Value,
} from './value.js'

export interface ModelAsof {
  readonly verb: 'asofJoin'
  readonly right: ModelTable
  readonly on: readonly [left: string, right: string]
  readonly by: readonly (readonly [left: string, right: string])[]
  readonly direction: 'before' | 'after' | 'either'
  /** Of times in nanoseconds, beside what the user writes; of numbers a number. */
  readonly tolerance: { readonly written: number | string; readonly value: bigint | number } | null
  readonly suffix: string
}

export function takenByAsof({ right, on, by, suffix }: ModelAsof, left: readonly ModelField[]): [string, ModelField][] {
  return right.fields
    .filter(({ name }) => !by.some(([, key]) => key === name) && !(on[0] === on[1] && name === on[1]))
    .map(field => [left.some(({ name }) => name === field.name) ? field.name + suffix : field.name, field])
}

export const fieldsOfAsof = (asof: ModelAsof, left: readonly ModelField[]): ModelField[] => [
  ...left,
  ...takenByAsof(asof, left).map(([name, { type }]) => ({ name, type: orNull(type, true) })),
]

export function* nearestJoined(
  asof: ModelAsof,
  rows: Iterable<ModelRow>,
  left: readonly ModelField[],
): Iterable<ModelRow> {
  const { right, on, by, direction, tolerance } = asof
  const taken = takenByAsof(asof, left).map(([, { name }]) => place(right.fields, name))
  const [i, j] = [place(left, on[0]), place(right.fields, on[1])]
  const types = [left[i]?.type as ModelType, right.fields[j]?.type as ModelType] as const
  const isWhole = !['float32', 'float64'].includes(commonType(...types)?.kind ?? '')
  const timeOf = (value: Value, { kind, unit }: ModelType): bigint | number => {
    if (kind === 'timestamp') return (value as bigint) * NANOSECONDS_PER[unit ?? 'ms']
    if (kind === 'date' && typeof tolerance?.written === 'string') return (value as bigint) * 86_400_000_000_000n
    return isWhole || !isInteger(kind) ? (value as bigint | number) : Number(value)
  }
  const distanceOf = (a: bigint | number, b: bigint | number): bigint | number =>
    a === b ? 0 : typeof a === 'bigint' ? a - (b as bigint) : a - (b as number)
  for (const row of rows) {
    // Of those before the last of the latest, of those after the first of the earliest: by order, since differences of doubles are rounded.
    let back: { readonly row: ModelRow; readonly time: bigint | number } | null = null
    let ahead: { readonly row: ModelRow; readonly time: bigint | number } | null = null
    const own = row.values[i] as Value
    const mine = own === null || Number.isNaN(own) ? null : timeOf(own, types[0])
    for (const other of right.rows) {
      const its = other.values[j] as Value
      if (mine === null || its === null || Number.isNaN(its)) continue
      const matches = by.every(([a, b]) => {
        const [x, y] = [place(left, a), place(right.fields, b)]
        return areEqual(
          row.values[x] as Value,
          left[x]?.type as ModelType,
          other.values[y] as Value,
          right.fields[y]?.type as ModelType,
        )
      })
      if (!matches) continue
      const time = timeOf(its, types[1])
      const order = compareValues(time, mine)
      if (order <= 0 && (back === null || compareValues(time, back.time) >= 0)) back = { row: other, time }
      if (order >= 0 && (ahead === null || compareValues(time, ahead.time) < 0)) ahead = { row: other, time }
    }
    const far = (greater: bigint | number, less: bigint | number) =>
      tolerance !== null && distanceOf(greater, less) > tolerance.value
    if (back !== null && (direction === 'after' || far(mine as never, back.time))) back = null
    if (ahead !== null && (direction === 'before' || far(ahead.time, mine as never))) ahead = null
    const isBack =
      back !== null && (ahead === null || distanceOf(mine as never, back.time) <= distanceOf(ahead.time, mine as never))
    const best = isBack ? back : ahead
    yield {
      source: row.source,
      values: [...row.values, ...taken.map(at => (best === null ? null : (best.row.values[at] as Value)))],
    }
  }
}
