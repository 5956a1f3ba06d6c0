/** What we write: read by ourselves, by apache-arrow and by flechette, it is what it was, in files and streams alike. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../../src/columnar/builder.js'
import { list, nullable, struct, timestamp, utf8 } from '../../../src/columnar/type.js'
import { makeVector } from '../../../src/columnar/vector.js'
import { createArrowEncoder } from '../../../src/formats/arrow/encoder.js'
import { arrow } from '../../../src/index.js'
import { refusal } from '../../flow/env.js'
import { choicesOf, tapes } from '../../laws/choices.js'
import { fieldsOf, tables } from '../../laws/tables.js'
import type { ModelField, ModelTable } from '../../oracle/value.js'
import { type Batches, batchesOf } from './model-batches.js'
import { PEERS, peerTable, peerValues, tellsExactly } from './peers.js'
import { readArrow } from './read-arrow.js'

const LAYOUTS = ['file', 'stream'] as const
type Layout = (typeof LAYOUTS)[number]

function encode({ schema, batches }: Batches, layout: Layout): Uint8Array {
  const encoder = createArrowEncoder(schema, { layout })
  const chunks = [...encoder.header()]
  for (const { vectors, rowCount } of batches) chunks.push(...encoder.batch(vectors, rowCount))
  chunks.push(...encoder.footer())
  return new Uint8Array(Buffer.concat(chunks))
}

const columnsOf = ({ fields, rows }: ModelTable) => fields.map((_, f) => rows.map(({ values }) => values[f]))

describe.each(LAYOUTS)('a %s', layout => {
  test('of any table is read back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(tables(60), tapes(), async (table, tape) => {
        const read = await readArrow(encode(batchesOf(table, choicesOf(tape)), layout))
        expect(read.rowCount).toBe(table.rows.length)
        const own = table.fields.map(({ name }) => Object.entries(read.columns).find(([key]) => key === name)?.[1])
        expect(own).toEqual(columnsOf(table))
      }),
      { numRuns: 60 },
    )
  })

  test.each(PEERS)('is read by %s as it was written', async peer => {
    // Neither has columns of any name.
    const fields = fieldsOf(6).map(list => list.map(({ type }, i): ModelField => ({ name: `c${i}`, type })))
    await fc.assert(
      fc.property(tables(60, fields), tapes(), (table, tape) => {
        const read = peerTable(peer, encode(batchesOf(table, choicesOf(tape)), layout))
        expect(read.numRows).toBe(table.rows.length)
        for (const [f, field] of table.fields.entries()) {
          expect(read.schema.fields[f]).toMatchObject({ name: field.name, nullable: field.type.nullable })
          if (tellsExactly(field.type)) expect(peerValues(read, field)).toEqual(columnsOf(table)[f])
        }
      }),
      { numRuns: 40 },
    )
  })
})

test('a time zone that there is not is for those who ask for its calendar, not for those who read', async () => {
  const at = { ...timestamp('ms'), timeZone: 'Mars/Olympus' }
  const vectors = [makeVector(at, 2, BigInt64Array.of(0n, 1n))]
  const flow = arrow(encode({ schema: { at }, batches: [{ rowCount: 2, vectors }] }, 'file') as Uint8Array<ArrayBuffer>)
  const read = flow.derive(t => ({ same: t.at.coalesce(new Date(0)) })).collect({ lanes: 0 })
  expect((await read).toRows()).toEqual([0, 1].map(ms => ({ at: new Date(ms), same: new Date(ms) })))
  await refusal(() => flow.derive(t => ({ hour: t.at.hour() })).collect({ lanes: 0 }), 'MR_INVALID_OPTION')
})

describe('strings', () => {
  const vectorOf = (values: readonly (string | null)[]) => {
    const builder = createBuilder(nullable(utf8()), 'x')
    for (const [i, value] of values.entries()) builder.append(value, i)
    return builder.finish()
  }
  const encodeTexts = (layout: Layout, ...batches: (string | null)[][]) =>
    encode(
      {
        schema: { x: nullable(utf8()) },
        batches: batches.map(values => ({ rowCount: values.length, vectors: [vectorOf(values)] })),
      },
      layout,
    )

  test('that are said twice are codes, with deltas of what is new; others are plain', async () => {
    for (const layout of LAYOUTS) {
      const coded = encodeTexts(layout, ['a', 'a', 'b', 'b'], ['b', 'c', null], [null], ['a'])
      const plain = encodeTexts(layout, ['a', 'b', 'c', null], ['a', 'a'])
      expect(peerTable('apache-arrow', coded).schema.fields[0].type.toString()).toBe('Dictionary<Int32, Utf8>')
      expect(peerTable('apache-arrow', plain).schema.fields[0].type.toString()).toBe('Utf8')
      for (const peer of PEERS) {
        expect([...peerTable(peer, coded).getChild('x')]).toEqual(['a', 'a', 'b', 'b', 'b', 'c', null, null, 'a'])
        expect([...peerTable(peer, plain).getChild('x')]).toEqual(['a', 'b', 'c', null, 'a', 'a'])
      }
      expect((await readArrow(coded)).columns.x).toEqual(['a', 'a', 'b', 'b', 'b', 'c', null, null, 'a'])
    }
  })

  test('are remembered up to a bound: then a stream’s dictionary begins anew, and a file’s has some twice', async () => {
    const most = 1000
    const builder = createBuilder(utf8(), 'x')
    for (let i = 0; i < 2 * (most + 1); i++) builder.append(`${i >> 1}`, i)
    const many = builder.finish()
    const after = vectorOf(['7', 'new', '7'])
    for (const layout of LAYOUTS) {
      const encoder = createArrowEncoder({ x: nullable(utf8()) }, { layout, mostRemembered: most })
      const chunks = [...encoder.header(), ...encoder.batch([many], many.length)]
      const last = encoder.batch([after], 3)
      chunks.push(...last, ...encoder.batch([vectorOf(['new', 'newer'])], 2), ...encoder.footer())
      // Not the thousand before: what was forgotten, and is needed again, is written again.
      expect(last.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1000)
      const { columns } = await readArrow(new Uint8Array(Buffer.concat(chunks)))
      expect(columns.x?.length).toBe(2 * (most + 1) + 5)
      expect(columns.x?.slice(-6)).toEqual([`${most}`, '7', 'new', '7', 'new', 'newer'])
    }
  })

  test('in lists are codes too', async () => {
    const type = list(nullable(utf8()))
    const builder = createBuilder(type, 'x')
    for (const value of [['a', 'b', 'a'], [], ['b', null]]) builder.append(value, 0)
    const bytes = encode({ schema: { x: type }, batches: [{ rowCount: 3, vectors: [builder.finish()] }] }, 'file')
    expect(peerTable('apache-arrow', bytes).schema.fields[0].type.toString()).toBe('List<Dictionary<Int32, Utf8>>')
    expect((await readArrow(bytes)).columns.x).toEqual([['a', 'b', 'a'], [], ['b', null]])
  })
})

test('a table without rows has a schema', async () => {
  for (const layout of LAYOUTS) {
    const bytes = encode({ schema: { x: nullable(utf8()), y: list(utf8()) }, batches: [] }, layout)
    expect(await readArrow(bytes)).toEqual({ rowCount: 0, columns: { x: [], y: [] }, illFormedCount: 0 })
    for (const peer of PEERS)
      expect(peerTable(peer, bytes).schema.fields.map((field: any) => field.name)).toEqual(['x', 'y'])
  }
})

test('what cannot be written is refused at once, by name', () => {
  expect(() => createArrowEncoder({ s: struct({ a: utf8() }) }, { layout: 'file' })).toThrow(
    'MR_TYPE_MISMATCH: arrow: column "s" is a struct',
  )
})
