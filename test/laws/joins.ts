/** Random joins: another table made for the columns that there are, so that keys meet. */

import { fieldsOfAsof, type ModelAsof, takenByAsof } from '../oracle/asof.js'
import type { ModelExpression } from '../oracle/expression.js'
import { commonType, fieldsOfJoin, type ModelJoin, takenFields } from '../oracle/join.js'
import { fieldsOfUnion, type ModelUnion } from '../oracle/union.js'
import type { ModelField, ModelKind, ModelTable, ModelType, Value } from '../oracle/value.js'
import { isFloat, isInteger } from '../oracle/value.js'
import { runModel } from '../oracle/verbs.js'
import type { Choices } from './choices.js'
import { boolExpression, type ColumnState } from './expressions.js'
import { integerRange, NAMES } from './tables.js'

const MOST_ROWS = 12
const HOWS = ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const

/** A flow of its own over a table that is to stand beside another; or the table as it is. */
export type MakeOther = (table: ModelTable) => ModelTable

/** Null where there is nothing to join by. @param makeOther null: the condition may fail, and alone */
export function someJoin(
  columns: readonly ColumnState[],
  choices: Choices,
  makeOther: MakeOther | null,
): ModelJoin | null {
  const able = columns.filter(({ type }) => type.kind !== 'list')
  if (able.length === 0) return null
  const how = choices.pick(HOWS)
  const left = choices.some(able, 2)
  const names = choices.some(NAMES, 4)
  while (names.length < left.length) names.push(NAMES.find(name => !names.includes(name)) as (typeof NAMES)[number])
  const fields = names.map((name, i): ModelField => {
    const nullable = choices.chance(40)
    const key = left[i]
    if (key !== undefined) return { name, type: { ...otherType(key.type, choices), nullable } }
    return { name, type: someType(nullable, choices) }
  })
  const plain: ModelTable = {
    fields,
    rows: Array.from({ length: choices.below(MOST_ROWS + 1) }, (_, source) => ({
      source,
      values: fields.map(({ type }, i) => someValue(type, left[i]?.samples ?? [], choices)),
    })),
  }
  const other = makeOther?.(plain) ?? plain
  const kept = left
    .map(({ name }, i) => [name, names[i] as string] as const)
    .filter(([, key]) => isKept(key, plain, other))
  const right = kept.length === 0 ? plain : other
  const keys = kept.length === 0 ? left.map(({ name }, i) => [name, names[i] as string] as const) : kept
  const join: ModelJoin = {
    verb: 'join',
    how,
    right,
    keys,
    where: choices.chance(35) ? someCondition(columns, right, choices, makeOther === null) : null,
    suffix: choices.pick(['_right', '_2', '']),
  }
  const keepsRight = how === 'right' || how === 'full'
  const types = keys.map(([a, b]) => [typeOf(columns, a), typeOf(right.fields, b)] as const)
  // Instants that leave their unit are another test's.
  if (keepsRight && types.some(([a, b]) => commonType(a, b) === null || a.unit !== b.unit)) return null
  const out = [...columns.map(({ name }) => name), ...takenFields(join, columns).map(([name]) => name)]
  return new Set(out).size === out.length ? join : null
}

const typeOf = (fields: readonly ModelField[], name: string) =>
  fields.find(field => field.name === name)?.type as ModelType

/** Whether a column of a table is one of the same type in what has been made of it. */
function isKept(name: string, table: ModelTable, other: ModelTable): boolean {
  const before = typeOf(table.fields, name)
  const after: ModelType | undefined = typeOf(other.fields, name)
  return after?.kind === before.kind && after.unit === before.unit
}

function someType(nullable: boolean, choices: Choices): ModelType {
  const kind = choices.pick(['int32', 'utf8', 'float64', 'bool', 'int64', 'timestamp', 'date', 'list'] as const)
  if (kind === 'timestamp') return { kind, nullable, unit: choices.pick(['ms', 's', 'us', 'ns'] as const) }
  if (kind !== 'list') return { kind, nullable }
  return { kind, nullable, item: { kind: choices.pick(['int32', 'utf8']), nullable: choices.chance(40) } }
}

function someCondition(
  columns: readonly ColumnState[],
  right: ModelTable,
  choices: Choices,
  mayFail: boolean,
): ModelExpression | null {
  const pair = [
    ...columns.map(column => ({ ...column, name: `l.${column.name}` })),
    ...statesOf(right).map(column => ({ ...column, name: `r.${column.name}` })),
  ]
  return boolExpression({ columns: pair, choices, mayFail }, 2)
}

/** The columns that a join leaves. */
export function columnsAfterJoin(join: ModelJoin, columns: readonly ColumnState[]): ColumnState[] {
  const states = statesOf(join.right)
  const taken = new Map(takenFields(join, columns).map(([name, field]) => [name, field.name]))
  return fieldsOfJoin(join, columns).map((field): ColumnState => {
    const other = states.find(({ name }) => name === taken.get(field.name))
    const own = columns.find(({ name }) => name === field.name)
    const key = states.find(({ name }) => join.keys.some(([a, b]) => a === field.name && b === name))
    const magnitudes = [other, taken.has(field.name) ? undefined : own, taken.has(field.name) ? undefined : key]
    return {
      ...field,
      magnitude: magnitudes.reduce((most, state) => (state && state.magnitude > most ? state.magnitude : most), 0n),
      samples: (other ?? own)?.samples ?? [],
    }
  })
}

/** Null where there is nothing to compare. */
export function someAsof(columns: readonly ColumnState[], choices: Choices, makeOther: MakeOther): ModelAsof | null {
  const able = columns.filter(
    ({ type }) => isInteger(type.kind) || isFloat(type.kind) || type.kind === 'timestamp' || type.kind === 'date',
  )
  if (able.length === 0) return null
  const on = choices.pick(able)
  const keys = choices.chance(60)
    ? choices.some(
        columns.filter(({ type }) => type.kind !== 'list'),
        2,
      )
    : []
  const own = [on, ...keys.filter(key => key !== on)]
  const names = choices.some(NAMES, 5)
  while (names.length < own.length + 1) names.push(NAMES.find(name => !names.includes(name)) as (typeof NAMES)[number])
  if (choices.chance(40)) {
    const at = names.indexOf(on.name as (typeof NAMES)[number])
    if (at < 0) names[0] = on.name as (typeof NAMES)[number]
  }
  const fields = names.map((name, i): ModelField => {
    const key = own[i]
    const nullable = choices.chance(40)
    return {
      name,
      type: key === undefined ? { kind: 'int32', nullable } : { ...otherType(key.type, choices), nullable },
    }
  })
  const onType = fields[0]?.type as ModelType
  if (commonType(on.type, onType) === null || (on.type.kind === 'timestamp') !== (onType.kind === 'timestamp'))
    return null
  const plain: ModelTable = {
    fields,
    rows: Array.from({ length: choices.below(MOST_ROWS + 1) }, (_, source) => ({
      source,
      values: fields.map(({ type }, i) => someValue(type, own[i]?.samples ?? [], choices)),
    })),
  }
  const other = makeOther(plain)
  const right = own.every((_, i) => isKept(names[i] as string, plain, other)) ? other : plain
  const asof: ModelAsof = {
    verb: 'asofJoin',
    right,
    on: [on.name, names[0] as string],
    by: own.slice(1).map(({ name }, i) => [name, names[i + 1] as string] as const),
    direction: choices.pick(['before', 'after', 'either'] as const),
    tolerance: choices.chance(50) ? someTolerance(on.type, onType, choices) : null,
    suffix: choices.pick(['_right', '_2']),
  }
  const out = [...columns.map(({ name }) => name), ...takenByAsof(asof, columns).map(([name]) => name)]
  return new Set(out).size === out.length ? asof : null
}

function someTolerance(a: ModelType, b: ModelType, choices: Choices): ModelAsof['tolerance'] {
  if (a.kind === 'timestamp' || (a.kind === 'date' && choices.chance(50))) {
    const [unit, value] = choices.pick([
      ['ms', 1_000_000n],
      ['s', 1_000_000_000n],
      ['us', 1000n],
      ['d', 86_400_000_000_000n],
    ] as const)
    const count = choices.below(4)
    return { written: `${count}${unit}`, value: BigInt(count) * value }
  }
  const written = choices.pick([0, 1, 2.5, 100])
  return { written, value: isFloat(a.kind) || isFloat(b.kind) ? written : BigInt(Math.floor(written)) }
}

export function columnsAfterAsof(asof: ModelAsof, columns: readonly ColumnState[]): ColumnState[] {
  const states = statesOf(asof.right)
  const taken = new Map(takenByAsof(asof, columns).map(([name, field]) => [name, field.name]))
  return fieldsOfAsof(asof, columns).map((field): ColumnState => {
    const from = [
      ...states.filter(({ name }) => name === taken.get(field.name)),
      ...columns.filter(({ name }) => name === field.name),
    ]
    return { ...field, magnitude: from[0]?.magnitude ?? 0n, samples: from[0]?.samples ?? [] }
  })
}

/** A table whose columns may stand under those that there are. */
export function otherTable(columns: readonly ColumnState[], choices: Choices): ModelTable {
  const like = choices.some(columns, columns.length)
  const free = NAMES.filter(name => !columns.some(column => column.name === name))
  const fields = like.map(({ name, type }): ModelField => {
    const other = type.kind === 'list' ? type : otherType(type, choices)
    return { name, type: { ...(commonType(type, other) === null ? type : other), nullable: choices.chance(40) } }
  })
  if (free.length > 0 && choices.chance(30))
    fields.push({ name: choices.pick(free), type: { kind: choices.pick(['int32', 'utf8']), nullable: false } })
  return {
    fields,
    rows: Array.from({ length: choices.below(MOST_ROWS + 1) }, (_, source) => ({
      source,
      values: fields.map(({ type }, i) => someValue(type, like[i]?.samples ?? [], choices)),
    })),
  }
}

/** The columns that a union leaves. */
export function columnsAfterUnion(union: ModelUnion, columns: readonly ColumnState[]): ColumnState[] {
  const tables = union.others.map(({ table, verbs }) => runModel(table, verbs))
  const others = tables.map(statesOf)
  return fieldsOfUnion([columns, ...tables.map(({ fields }) => fields)]).map((field): ColumnState => {
    const own = [columns, ...others].flatMap(states => states.find(({ name }) => name === field.name) ?? [])
    return {
      ...field,
      magnitude: own.reduce((most, { magnitude }) => (magnitude > most ? magnitude : most), 0n),
      samples: own[0]?.samples ?? [],
    }
  })
}

function statesOf({ fields, rows }: ModelTable): ColumnState[] {
  return fields.map((field, i) => ({
    ...field,
    magnitude: rows.reduce((most, { values }) => {
      const value = values[i]
      const size = typeof value === 'bigint' ? (value < 0n ? -value : value) : 0n
      return size > most ? size : most
    }, 0n),
    samples: rows.slice(0, 4).flatMap(({ values }) => (values[i] === null ? [] : [values[i] as Value])),
  }))
}

const NUMBERS: readonly ModelKind[] = ['int32', 'int64', 'float64', 'int8', 'uint32', 'float32', 'uint8', 'int16']

/** One whose values may equal those of `type`. */
function otherType(type: ModelType, choices: Choices): ModelType {
  if (choices.chance(60)) return type
  if (isInteger(type.kind) || isFloat(type.kind)) return { kind: choices.pick(NUMBERS), nullable: false }
  return type.kind === 'timestamp' ? { ...type, unit: choices.pick(['ms', 's', 'us', 'ns'] as const) } : type
}

function someValue(type: ModelType, samples: readonly Value[], choices: Choices): Value {
  if (type.nullable && choices.chance(20)) return null
  const sample = samples.length > 0 && choices.chance(70) ? fitted(choices.pick(samples), type) : null
  if (sample !== null) return sample
  const small = choices.below(5)
  switch (type.kind) {
    case 'bool':
      return small > 2
    case 'utf8':
      return choices.pick(['', 'a', 'b', 'é', '😀'])
    case 'list':
      return Array.from({ length: choices.below(4) }, () => someValue(type.item as ModelType, [], choices))
    case 'float64':
    case 'float32':
      return choices.pick([0, -0, 1, 0.5, NaN, 2, -1, Infinity])
    default:
      return BigInt(small)
  }
}

/** A value of another column as one of this type, where it is one. */
function fitted(value: Value, { kind, item }: ModelType): Value {
  if (kind === 'list') {
    const items = Array.isArray(value)
      ? (value as Value[]).map(each => each !== null && fitted(each, item as ModelType))
      : []
    return Array.isArray(value) && (item?.nullable || !items.includes(null)) ? value : null
  }
  if (isInteger(kind)) {
    const whole = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
    const [least, greatest] = integerRange(kind)
    return typeof whole === 'bigint' && whole >= least && whole <= greatest ? whole : null
  }
  if (isFloat(kind)) {
    if (typeof value !== 'bigint' && typeof value !== 'number') return null
    const double = kind === 'float32' ? Math.fround(Number(value)) : Number(value)
    return double
  }
  if (kind === 'timestamp') return typeof value === 'bigint' && value > -1000n && value < 1000n ? value : null
  if (kind === 'date') return typeof value === 'bigint' && value > -1_000_000n && value < 1_000_000n ? value : null
  return typeof value === (kind === 'utf8' ? 'string' : 'boolean') ? value : null
}
