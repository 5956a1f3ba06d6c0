/** Joins of the naive model: every row of one side held against every row of the other. */
import { evaluate, type ModelExpression } from './expression.js'
import {
  compareValues,
  isFloat,
  isInteger,
  type ModelField,
  type ModelRow,
  type ModelTable,
  type ModelType,
  NANOSECONDS_PER,
  type Value,
} from './value.js'

export interface ModelJoin {
  readonly verb: 'join'
  readonly how: 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'
  readonly right: ModelTable
  readonly keys: readonly (readonly [left: string, right: string])[]
  /** Over the columns of both sides, called `l.name` and `r.name`. */
  readonly where: ModelExpression | null
  readonly suffix: string
}

const keepsLeft = ({ how }: ModelJoin) => how === 'left' || how === 'full'
const keepsRight = ({ how }: ModelJoin) => how === 'right' || how === 'full'

/** Of the right side, with the name that each gets. */
export function takenFields(
  { how, right, keys, suffix }: ModelJoin,
  left: readonly ModelField[],
): [string, ModelField][] {
  if (how === 'semi' || how === 'anti') return []
  return right.fields
    .filter(({ name }) => !keys.some(([, key]) => key === name))
    .map(field => [left.some(({ name }) => name === field.name) ? field.name + suffix : field.name, field])
}

export function fieldsOfJoin(join: ModelJoin, left: readonly ModelField[]): ModelField[] {
  return [
    ...left.map(({ name, type }) => {
      const key = join.keys.find(([own]) => own === name)
      if (!keepsRight(join) || key === undefined) return { name, type: orNull(type, keepsRight(join)) }
      return { name, type: commonType(type, typeOf(join.right.fields, key[1])) as ModelType }
    }),
    ...takenFields(join, left).map(([name, { type }]) => ({ name, type: orNull(type, keepsLeft(join)) })),
  ]
}

/** What holds the values of both; null where nothing does. */
export function commonType(a: ModelType, b: ModelType): ModelType | null {
  const nullable = a.nullable || b.nullable
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    const finer = NANOSECONDS_PER[a.unit ?? 'ms'] < NANOSECONDS_PER[b.unit ?? 'ms'] ? a : b
    return { ...finer, nullable }
  }
  if (a.kind === 'list' && b.kind === 'list') {
    const [x, y] = [a.item as ModelType, b.item as ModelType]
    const item = x.kind === y.kind && x.unit === y.unit ? commonType(x, y) : null
    return item && { kind: 'list', nullable, item }
  }
  if (a.kind === b.kind) return { kind: a.kind, nullable }
  const [x, y] = [a.kind, b.kind]
  const isWide = (kind: string) => kind === 'int64' || kind === 'uint32'
  if (isInteger(x) && isInteger(y)) return { kind: isWide(x) || isWide(y) ? 'int64' : 'int32', nullable }
  const isNumber = (isInteger(x) || isFloat(x)) && (isInteger(y) || isFloat(y))
  return isNumber && x !== 'int64' && y !== 'int64' ? { kind: 'float64', nullable } : null
}

export function* joined(join: ModelJoin, rows: Iterable<ModelRow>, left: readonly ModelField[]): Iterable<ModelRow> {
  const { how, right, keys, where } = join
  const outFields = fieldsOfJoin(join, left)
  const pairFields = [
    ...left.map(({ name, type }) => ({ name: `l.${name}`, type })),
    ...right.fields.map(({ name, type }) => ({ name: `r.${name}`, type })),
  ]
  const taken = takenFields(join, left).map(([, { name }]) => place(right.fields, name))
  const met = new Set<ModelRow>()
  const out = (source: number, own: readonly Value[] | null, other: ModelRow | null): ModelRow => ({
    source,
    values: [
      ...left.map(({ name, type }, i) => {
        const key = keys.find(([key]) => key === name)
        const to = outFields[i]?.type as ModelType
        if (own !== null)
          return keepsRight(join) && key !== undefined ? as(own[i] as Value, type, to) : (own[i] as Value)
        if (key === undefined) return null
        const at = place(right.fields, key[1])
        return as(other?.values[at] as Value, right.fields[at]?.type as ModelType, to)
      }),
      ...taken.map(i => (other === null ? null : (other.values[i] as Value))),
    ],
  })
  for (const row of rows) {
    let count = 0
    for (const other of right.rows) {
      const matches = keys.every(([a, b]) => {
        const [i, j] = [place(left, a), place(right.fields, b)]
        return areEqual(
          row.values[i] as Value,
          left[i]?.type as ModelType,
          other.values[j] as Value,
          right.fields[j]?.type as ModelType,
        )
      })
      if (!matches) continue
      const pair = { source: row.source, values: [...row.values, ...other.values] }
      if (where !== null && evaluate(where, pair, pairFields) !== true) continue
      count++
      met.add(other)
      if (how !== 'semi' && how !== 'anti') yield out(row.source, row.values, other)
    }
    if (how === 'semi' ? count > 0 : how === 'anti' && count === 0) yield row
    if (keepsLeft(join) && count === 0) yield out(row.source, row.values, null)
  }
  if (keepsRight(join)) for (const other of right.rows) if (!met.has(other)) yield out(-1, null, other)
}

export const orNull = (type: ModelType, also: boolean): ModelType => ({ ...type, nullable: type.nullable || also })

export const place = (fields: readonly ModelField[], name: string): number =>
  fields.findIndex(field => field.name === name)
const typeOf = (fields: readonly ModelField[], name: string) => fields[place(fields, name)]?.type as ModelType

/** Instants by their nanoseconds, all else by value. */
export function areEqual(a: Value, aType: ModelType, b: Value, bType: ModelType): boolean {
  if (a === null || b === null) return false
  return compareValues(exact(a, aType), exact(b, bType)) === 0
}

const exact = (value: Value, { kind, unit }: ModelType): Value =>
  kind === 'timestamp' ? (value as bigint) * NANOSECONDS_PER[unit ?? 'ms'] : value

export function as(value: Value, from: ModelType, to: ModelType): Value {
  if (value === null) return null
  if (from.kind === 'timestamp') {
    return ((value as bigint) * NANOSECONDS_PER[from.unit ?? 'ms']) / NANOSECONDS_PER[to.unit ?? 'ms']
  }
  return isFloat(to.kind) ? Number(value) : value
}
