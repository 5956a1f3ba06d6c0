/** Holds what the engine gave against what the model says it must give: names, types, rows in order, every bit of every float. */
import type { DataType, Table } from '../../src/index.js'
import { toJavaScript } from '../oracle/javascript.js'
import type { ModelTable, ModelType, Value } from '../oracle/value.js'

/** @throws Error saying where the table first differs from the model. */
export function expectTable(actual: Table, expected: ModelTable): void {
  const names = Object.keys(actual.schema)
  const wanted = expected.fields.map(({ name }) => name)
  if (JSON.stringify(names) !== JSON.stringify(wanted)) {
    throw new Error(`columns ${JSON.stringify(names)}, expected ${JSON.stringify(wanted)}`)
  }
  for (const { name, type } of expected.fields) {
    const found = typeText(actual.schema[name] as DataType)
    if (found !== typeText(type))
      throw new Error(`column ${JSON.stringify(name)} is ${found}, expected ${typeText(type)}`)
  }
  if (actual.rowCount !== expected.rows.length) {
    throw new Error(`${actual.rowCount} rows, expected ${expected.rows.length}`)
  }
  const rows = actual.toRows({ bigint: true }) as Record<string, Value>[]
  expected.fields.forEach(({ name, type }, f) => {
    for (let i = 0; i < rows.length; i++) {
      const found = (rows[i] as Record<string, Value>)[name] as Value
      const value = toJavaScript(expected.rows[i]?.values[f] as Value, type)
      if (same(found, value)) continue
      throw new Error(`row ${i}, column ${JSON.stringify(name)}: ${valueText(found)}, expected ${valueText(value)}`)
    }
  })
}

/** Every bit of every float, in lists too. */
function same(a: Value, b: Value): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b)
  return a.length === b.length && a.every((item, i) => same(item, b[i]))
}

export function typeText({ kind, unit, nullable, item }: DataType | ModelType): string {
  const of = item === undefined ? '' : ` of ${typeText(item)}`
  return `${nullable ? 'nullable ' : ''}${kind}${unit === undefined ? '' : ` in ${unit}`}${of}`
}

/** With its type, since 1 and 1n, 0 and -0 differ. */
export function valueText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  return Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value)
}
