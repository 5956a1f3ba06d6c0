/** Hand-computed facts about the model's verbs and aggregates. */
import { describe, expect, it } from 'vitest'
import type { ModelAggregateCall } from './aggregate.js'
import { INT64_MAX, type ModelExpression } from './expression.js'
import { toRowObject } from './javascript.js'
import type { ModelKind, ModelTable, Value } from './value.js'
import { type ModelVerb, runModel } from './verbs.js'

function table(kinds: Record<string, ModelKind>, ...rows: Value[][]): ModelTable {
  const fields = Object.entries(kinds).map(([name, kind]) => ({ name, type: { kind, nullable: true } }))
  return { fields, rows: rows.map((values, source) => ({ source, values })) }
}
const column = (name: string): ModelExpression => ({ op: 'column', name })
const call = (
  name: ModelAggregateCall['function'],
  input: ModelExpression | null = column('x'),
): ModelAggregateCall => ({
  function: name,
  inputs: input === null ? [] : [input],
  where: null,
})
const one: ModelExpression = { op: 'literal', value: 1n, type: { kind: 'int64', nullable: false } }
const addOne: ModelVerb = { verb: 'derive', columns: [['y', { op: 'add', left: column('x'), right: one }]] }
const values = (input: ModelTable, ...verbs: ModelVerb[]) => runModel(input, verbs).rows.map(row => row.values)
const floats = (...xs: (number | null)[]) => table({ x: 'float64' }, ...xs.map(x => [x]))
const orderBy = (descending: boolean, nulls: 'first' | 'last'): ModelVerb => ({
  verb: 'orderBy',
  orders: [{ name: 'x', descending, nulls }],
})

describe('verbs of the model', () => {
  it('select, drop and rename columns', () => {
    const ab = table({ a: 'int32', b: 'utf8' }, [1n, 'x'])
    expect(values(ab, { verb: 'select', names: ['b', 'a'] })).toEqual([['x', 1n]])
    expect(values(ab, { verb: 'drop', names: ['a'] })).toEqual([['x']])
    const swapped = runModel(ab, [
      {
        verb: 'rename',
        names: [
          ['a', 'b'],
          ['b', 'a'],
        ],
      },
    ])
    expect(swapped.fields.map(({ name }) => name)).toEqual(['b', 'a'])
    expect(swapped.rows[0]?.values).toEqual([1n, 'x'])
  })

  it('derive from the input columns, replacing in place', () => {
    const result = runModel(table({ x: 'int32', z: 'int32' }, [1n, 5n]), [
      {
        verb: 'derive',
        columns: [
          ['y', column('x')],
          ['x', column('z')],
        ],
      },
    ])
    expect(result.fields.map(({ name }) => name)).toEqual(['x', 'z', 'y'])
    expect(result.rows[0]?.values).toEqual([5n, 5n, 1n])
  })

  it('filter by true alone', () => {
    const flags = table({ x: 'bool' }, [true], [false], [null])
    expect(values(flags, { verb: 'filter', predicate: column('x') })).toEqual([[true]])
  })

  it('order with NaN greatest, zeros equal, and nulls where told', () => {
    const input = floats(NaN, 0, null, -0, 1)
    expect(values(input, orderBy(false, 'last'))).toEqual([[0], [-0], [1], [NaN], [null]])
    expect(values(input, orderBy(true, 'last'))).toEqual([[NaN], [1], [0], [-0], [null]])
    expect(values(input, orderBy(true, 'first'))[0]).toEqual([null])
  })

  it('limit after an offset', () => {
    const input = floats(1, 2, 3)
    expect(values(input, { verb: 'limit', count: 1, offset: 1 })).toEqual([[2]])
    expect(values(input, { verb: 'limit', count: 0, offset: 0 })).toEqual([])
    expect(values(input, { verb: 'limit', count: 9, offset: 2 })).toEqual([[3]])
  })

  it('group in order of first appearance, nulls, NaNs and zeros being one key each', () => {
    const input = table({ k: 'float64', x: 'int32' }, [NaN, 1n], [-0, 2n], [null, 3n], [NaN, 4n], [0, 5n], [null, null])
    expect(
      values(input, {
        verb: 'aggregate',
        keys: ['k'],
        aggregates: [
          ['n', call('count')],
          ['s', call('sum')],
        ],
      }),
    ).toEqual([
      [NaN, 2n, 5n],
      [0, 2n, 7n],
      [null, 1n, 3n],
    ])
  })

  it('aggregate nothing to a count of 0 and to nulls', () => {
    const aggregates = (['count', 'sum', 'mean', 'min', 'max'] as const).map(name => [name, call(name)] as const)
    expect(values(floats(), { verb: 'aggregate', keys: [], aggregates })).toEqual([[0n, null, null, null, null]])
    expect(values(floats(), { verb: 'aggregate', keys: ['x'], aggregates })).toEqual([])
    expect(values(floats(null), { verb: 'aggregate', keys: [], aggregates: [['n', call('count', null)]] })).toEqual([
      [1n],
    ])
  })

  it('take NaN for the greatest in min and max, and give one zero', () => {
    const aggregates = [['min', call('min')] as const, ['max', call('max')] as const]
    expect(values(floats(NaN, 1), { verb: 'aggregate', keys: [], aggregates })).toEqual([[1, NaN]])
    expect(values(floats(NaN, null), { verb: 'aggregate', keys: [], aggregates })).toEqual([[NaN, NaN]])
    expect(values(floats(-0), { verb: 'aggregate', keys: [], aggregates })).toEqual([[0, 0]])
  })

  it('count only where a condition is true, and do arithmetic between aggregates', () => {
    const input = table({ x: 'int32', f: 'bool' }, [1n, true], [2n, null], [4n, true])
    const sum: ModelAggregateCall = { function: 'sum', inputs: [column('x')], where: column('f') }
    const ratio = { op: 'div', left: sum, right: call('count', null) } as const
    expect(
      values(input, {
        verb: 'aggregate',
        keys: [],
        aggregates: [
          ['s', sum],
          ['r', ratio],
        ],
      }),
    ).toEqual([[5n, 5 / 3]])
  })

  it('fail at the least row of all verbs, and not in rows that a limit or a filter cuts off', () => {
    const input = table({ x: 'int64' }, [1n], [INT64_MAX], [2n], [INT64_MAX])
    expect(() => runModel(input, [addOne])).toThrow(expect.objectContaining({ row: 1 }))
    expect(values(input, addOne, { verb: 'limit', count: 1, offset: 0 })).toEqual([[1n, 2n]])
    const small: ModelExpression = { op: 'lt', left: column('x'), right: { ...one, value: 100n } as ModelExpression }
    expect(values(input, { verb: 'filter', predicate: small }, addOne)).toEqual([
      [1n, 2n],
      [2n, 3n],
    ])
  })

  it('judge a sum of integers on its exact total', () => {
    const total = (...xs: bigint[]) =>
      values(table({ x: 'int64' }, ...xs.map(x => [x])), {
        verb: 'aggregate',
        keys: [],
        aggregates: [['s', call('sum')]],
      })
    expect(total(INT64_MAX, 1n, -1n)).toEqual([[INT64_MAX]])
    expect(() => total(INT64_MAX, 1n)).toThrow('MR_INTEGER_OVERFLOW')
  })

  it('become ordinary rows, whatever the names', () => {
    const { fields, rows } = table({ ['__proto__']: 'int8', '': 'int64', d: 'date' }, [1n, 2n, 0n])
    const row = toRowObject(rows[0] as (typeof rows)[0], fields)
    expect(Object.entries(row)).toEqual([
      ['__proto__', 1],
      ['', 2n],
      ['d', '1970-01-01'],
    ])
  })
})
