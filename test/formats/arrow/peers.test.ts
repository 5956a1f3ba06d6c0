/** Tables of apache-arrow and flechette: their files and streams are read, and the tables themselves, and ours become theirs. */
import * as flechette from '@uwdata/flechette'
import * as apache from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createArrowEncoder } from '../../../src/formats/arrow/encoder.js'
import { readArrowTable, schemaOfArrowTable } from '../../../src/formats/arrow/from-table.js'
import {
  arrow,
  columns,
  dictionary,
  float64,
  fromArrow,
  int32,
  nullable,
  schema,
  typeName,
  utf8,
} from '../../../src/index.js'
import { refusal } from '../../flow/env.js'
import { choicesOf, tapes } from '../../laws/choices.js'
import { fieldsOf, tables } from '../../laws/tables.js'
import type { ModelField } from '../../oracle/value.js'
import { batchesOf } from './model-batches.js'
import { PEERS, peerTable } from './peers.js'
import { readArrow } from './read-arrow.js'
import { peerBytes, peerMade } from './written-by-peers.js'

/** Rows as our users see them: counts as bigint. */
const columnsOfFlow = async (flow: any): Promise<Record<string, unknown[]>> => {
  const rows = (await flow.collect({ lanes: 0 })).toRows({ bigint: true }) as Record<string, unknown>[]
  return Object.fromEntries(Object.keys(rows[0] ?? {}).map(name => [name, rows.map(row => row[name])]))
}

/** As `toRows({ bigint: true })` says it: only int64 and timestamps are bigint, days are strings. */
function said(name: string, value: any): unknown {
  if (value === null) return null
  if (name.startsWith('date')) return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
  if (/^u?int(8|16|32)$/.test(name)) return Number(value)
  return name === 'list' ? value.map((x: bigint | null) => (x === null ? null : Number(x))) : value
}

describe.each(PEERS)('of %s', peer => {
  const { table, columns: expected } = peerMade(peer)

  test.each(['file', 'stream'] as const)('a %s that it wrote is read', async layout => {
    const read = await readArrow(peerBytes(peer, table, layout))
    expect(read.columns).toEqual(expected)
  })

  test.each(['file', 'stream'] as const)('a %s of many batches is read', async layout => {
    const parts = [
      [3, 21],
      [0, 1],
      [8, 40],
      [39, 40],
    ] as const
    // The one has batches that are slices, the other cuts its columns.
    const several = peer === 'flechette' ? [peerMade(peer, 7).table] : parts.map(([from, to]) => table.slice(from, to))
    const [first, ...rest] = several
    const { rowCount, columns } = await readArrow(
      peerBytes(peer, peer === 'flechette' ? first : first.concat(...rest), layout),
    )
    const rows = peer === 'flechette' ? [[0, 40] as const] : parts
    expect(rowCount).toBe(rows.reduce((sum, [from, to]) => sum + to - from, 0))
    for (const [name, values] of Object.entries(expected))
      expect(columns[name], name).toEqual(rows.flatMap(([from, to]) => values.slice(from, to)))
  })

  test('a table is read as it is', async () => {
    const own = await columnsOfFlow(fromArrow(table))
    for (const [name, values] of Object.entries(expected))
      expect(own[name], name).toEqual(values.map(value => said(name, value)))
  })

  test('a table that it read from us is read as it was, whatever is in it', async () => {
    const fields = fieldsOf(6).map(list => list.map(({ type }, i): ModelField => ({ name: `c${i}`, type })))
    await fc.assert(
      fc.asyncProperty(tables(60, fields), tapes(), async (model, tape) => {
        const { schema, batches } = batchesOf(model, choicesOf(tape))
        const encoder = createArrowEncoder(schema, { layout: 'stream' })
        const chunks = [
          ...encoder.header(),
          ...batches.flatMap(b => encoder.batch(b.vectors, b.rowCount)),
          ...encoder.footer(),
        ]
        const theirs = peerTable(peer, new Uint8Array(Buffer.concat(chunks)))
        const ours = await fromArrow(theirs).collect({ lanes: 0 })
        const again = await await ours.toArrow(async bytes => readArrow(bytes))
        expect(again.rowCount).toBe(model.rows.length)
        for (const [f, { name, type }] of model.fields.entries()) {
          expect(typeName(ours.schema[name])).toBe(typeName(schema[name] as never))
          expect([type, again.columns[name]]).toEqual([type, model.rows.map(({ values }) => values[f])])
        }
      }),
      { numRuns: 40 },
    )
  })

  test('a table without rows has a schema', async () => {
    const bytes = await (
      await columns({ a: new Int32Array(0), b: ['x'].slice(1) }, schema({ a: int32(), b: utf8() })).collect()
    ).toArrow()
    const empty = await fromArrow(peerTable(peer, bytes)).collect()
    expect([empty.rowCount, Object.keys(empty.schema)]).toEqual([0, ['a', 'b']])
  })

  test('a table with a column that we do not read is read without it', async () => {
    const structs = [{ a: 1 }, { a: 2 }]
    const made =
      peer === 'flechette'
        ? flechette.tableFromArrays(
            { n: [1, 2], s: structs },
            { types: { n: flechette.int32(), s: flechette.struct({ a: flechette.int32() }) } },
          )
        : apache.tableFromArrays({ n: Int32Array.of(1, 2), s: structs as never })
    expect((await fromArrow(made).select('n').collect()).toRows()).toEqual([{ n: 1 }, { n: 2 }])
    const error = await refusal(() => fromArrow(made).collect({ lanes: 0 }), 'MR_TYPE_MISMATCH')
    expect(error.message).toContain('column "s" is struct<a>')
  })
})

describe('fromArrow', () => {
  test('reads slices of apache-arrow, at any bit', async () => {
    const { table, columns: expected } = peerMade('apache-arrow')
    for (const [from, to] of [
      [0, 40],
      [3, 29],
      [8, 16],
      [39, 40],
    ] as const) {
      const own = await columnsOfFlow(fromArrow(table.slice(from, to)))
      for (const [name, values] of Object.entries(expected))
        expect(own[name], `${name} ${from}`).toEqual(values.slice(from, to).map(value => said(name, value)))
    }
    const twice = table.slice(5, 35).slice(2, 20).concat(table.slice(1, 4))
    expect((await columnsOfFlow(fromArrow(twice))).bool).toEqual([
      ...(expected.bool as []).slice(7, 25),
      ...(expected.bool as []).slice(1, 4),
    ])
  })

  test('reads columns whose chunks end in different rows', async () => {
    const f = flechette
    const [a, b] = [
      f.columnFromArray([1, 2, 3, 4, 5], f.int32(), { maxBatchRows: 2 }),
      f.columnFromArray(['v', 'w', 'x', 'y', 'z'], f.utf8(), { maxBatchRows: 3 }),
    ]
    const rows = (await fromArrow(f.tableFromColumns({ a, b })).collect()).toRows()
    expect(rows).toEqual([1, 2, 3, 4, 5].map((a, i) => ({ a, b: 'vwxyz'[i] })))
  })

  test('does not copy what lies as it does here, nor change anything', async () => {
    const { table } = peerMade('flechette')
    const before = peerBytes('flechette', table, 'stream')
    const names = ['int32', 'int64', 'float64', 'utf8', 'seconds', 'dateDay', 'bool']
    const shape = schemaOfArrowTable(table)
    const { batches } = readArrowTable(
      table,
      schema(Object.fromEntries(names.map(name => [name, shape[name] as never]))),
    )
    for (const [i, name] of names.entries())
      expect(batches[0]?.vectors[i]?.data.buffer, name).toBe(table.getChild(name).data[0].values.buffer)
    for (const lanes of [0, 1, 0]) await fromArrow(table).collect({ lanes })
    expect(Buffer.compare(peerBytes('flechette', table, 'stream'), before)).toBe(0)
  })

  test('with a schema has its columns, in its order, and no nulls where there are none', async () => {
    const table = flechette.tableFromArrays({ a: [1.5, 2], b: ['x', null] })
    const shape = schema({ b: nullable(utf8()), a: float64() })
    const flow = fromArrow(table, { schema: shape })
    expect(flow.schema).toBe(shape)
    const read = await flow.collect()
    expect(read.column('a').toArray()).toEqual(Float64Array.of(1.5, 2))
    expect(read.toRows()).toEqual([
      { b: 'x', a: 1.5 },
      { b: null, a: 2 },
    ])
    await refusal(() => fromArrow(table, { schema: schema({ b: utf8() }) }).collect(), 'MR_TYPE_MISMATCH')
    await refusal(() => fromArrow(table, { schema: schema({ a: int32() }) }).collect(), 'MR_TYPE_MISMATCH')
    await refusal(() => fromArrow(table, { schema: schema({ c: int32() }) }).collect(), 'MR_UNKNOWN_COLUMN')
  })

  test('refuses what is no such table, and options that there are not', async () => {
    for (const value of [null, undefined, {}, [], 'flights.arrow', new Uint8Array(4)])
      await refusal(() => fromArrow(value as never), 'MR_TYPE_MISMATCH')
    await refusal(() => fromArrow(flechette.tableFromArrays({ a: [1] }), { lanes: 2 } as never), 'MR_INVALID_OPTION')
  })

  test('names the row of a value that has no place here', async () => {
    const big = flechette.tableFromArrays({ a: [1n, 2n ** 63n] }, { types: { a: flechette.uint64() } })
    const error = await refusal(() => fromArrow(big).collect(), 'MR_INTEGER_OVERFLOW')
    expect(error.details).toMatchObject({ column: 'a', row: 1 })
  })
})

describe('toArrow', () => {
  const flow = columns({
    n: Int32Array.of(1, 2, 3),
    word: dictionary([0, 1, 0], ['a', 'b']),
    x: [0.5, null, Number.NaN],
  })

  test('gives a stream, which arrow() reads', async () => {
    const table = await flow.collect()
    const bytes = await table.toArrow()
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect((await arrow(bytes).collect()).toRows()).toEqual(table.toRows())
  })

  test('gives a table of the library whose reader it is given', async () => {
    const table = await flow.collect()
    const first = await table.toArrow(apache.tableFromIPC)
    expect(first.toArray().map(row => row?.toJSON())).toEqual(table.toRows())
    const second = await table.toArrow(flechette.tableFromIPC)
    expect(second.toArray()).toEqual(table.toRows())
  })
})
