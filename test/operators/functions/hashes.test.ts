// Hashes against published vectors, and against the model's own writing of them for every type.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DataType, nullable, type SchemaShape, utf8 } from '../../../src/columnar/type.js'
import type { Expression } from '../../../src/expressions/node.js'
import { printExpression } from '../../../src/expressions/print.js'
import { resolve, typeOf } from '../../../src/expressions/typing.js'
import { columns } from '../../../src/index.js'
import { Failures } from '../../../src/operators/compiled.js'
import { compileExpression } from '../../../src/operators/evaluate.js'
import { expectTable } from '../../laws/compare.js'
import { EDGE_FLOATS, valuesOf } from '../../laws/tables.js'
import { sipHash128, xxh64 } from '../../oracle/functions/hashes.js'
import { FUNCTIONS } from '../../oracle/functions.js'
import type { ModelKind, ModelTable, ModelType, Value } from '../../oracle/value.js'
import { batchOfModel, type Context, makeContext, morselOf, tableOf } from '../support.js'

const KEY = '000102030405060708090a0b0c0d0e0f'

/** From the reference implementation of xxHash. */
const XXH64: readonly (readonly [text: string, seed: bigint, hash: bigint])[] = [
  ['', 0n, 0xef46db3751d8e999n],
  ['a', 0n, 0xd24ec4f1a98c6e5bn],
  ['abc', 0n, 0x44bc2cf5ad770999n],
]

/** As OpenSSL 3 computes them (`openssl mac -macopt size:16 SIPHASH`); the first is of the reference implementation's vectors too. */
const SIP: readonly (readonly [bytes: readonly number[], digits: string])[] = [
  [[], 'a3817f04ba25a8e66df67214c7550293'],
  [[0], 'da87c1d86b99af44347659119b22fc45'],
  [[0, 1, 2, 3, 4, 5, 6, 7], '3b62a9ba6258f5610f83e264f31497b4'],
]

const hash = (parameters: Record<string, string | bigint>): Expression => ({
  op: 'call',
  function: 'hash',
  inputs: [{ op: 'column', name: 'x' }],
  parameters,
})

const tableIn = (type: ModelType, values: readonly Value[]): ModelTable => ({
  fields: [{ name: 'x', type }],
  rows: values.map((value, source) => ({ source, values: [value] })),
})

function check(
  context: Context,
  type: ModelType,
  batches: readonly (readonly Value[])[],
  parameters: Record<string, string | bigint>,
): void {
  const schema = { x: type as DataType } satisfies SchemaShape
  const resolved = resolve(hash(parameters), schema)
  const { evaluate, free } = compileExpression(context, resolved, schema)
  const model = FUNCTIONS.hash
  for (const values of batches) {
    const vector = evaluate(morselOf(context, batchOfModel(tableIn(type, values))), new Failures())
    const wanted = values.map(value => model.evaluate([value], { parameters, types: [type], row: 0 }))
    expectTable(
      tableOf(context, { rowCount: values.length, columns: [vector] }, { x: typeOf(resolved, schema) }),
      tableIn(model.type([type], parameters), wanted),
    )
  }
  free()
  context.loader.close()
}

describe('the model', () => {
  it('has the published hashes', () => {
    for (const [text, seed, result] of XXH64) expect(xxh64(new TextEncoder().encode(text), seed)).toBe(result)
    const key = Uint8Array.from({ length: 16 }, (_, i) => i)
    for (const [bytes, digits] of SIP) expect(sipHash128(Uint8Array.from(bytes), key)).toBe(digits)
  })
})

describe('hash', () => {
  it('is the published one, of strings and of 8 bytes', async () => {
    const flow = columns({ s: ['', 'a', 'abc', null], n: [0x0706050403020100n, 0n, 1n, 2n] })
    const table = await flow
      .derive(t => ({ x: t.s.hash(), y: t.n.hash({ key: KEY }), z: t.s.hash({ key: KEY }) }))
      .collect({ lanes: 0 })
    const hashes = table.toRows({ bigint: true }).map(({ x }) => x)
    expect(hashes).toEqual([...XXH64.map(([, , result]) => BigInt.asIntN(64, result)), null])
    expect(table.column('y').at(0)).toBe(SIP[2][1])
    expect(table.column('z').at(0)).toBe(SIP[0][1])
    expect(table.column('z').at(3)).toBeNull()
  })

  const kinds: readonly ModelKind[] = [
    'bool',
    'int8',
    'int16',
    'int32',
    'int64',
    'uint8',
    'uint16',
    'uint32',
    'float32',
    'float64',
    'utf8',
    'date',
    'timestamp',
  ]

  it.each(kinds)("of %s is the model's, with a seed and with a key", async kind => {
    const context = await makeContext()
    const before = context.usedBytes()
    const type: ModelType = { kind, nullable: true, ...(kind === 'timestamp' ? { unit: 'us' } : {}) }
    const edges =
      kind === 'float64'
        ? EDGE_FLOATS
        : kind === 'utf8'
          ? Array.from({ length: 70 }, (_, n) => 'é😀ab'.repeat(n).slice(0, n))
          : []
    const values = fc.sample(fc.option(valuesOf(type), { freq: 5 }), { numRuns: 200, seed: 3 })
    for (const parameters of [{}, { seed: 2n ** 63n + 5n }, { seed: -1n }, { key: KEY }, { key: 'ff'.repeat(16) }]) {
      check(
        context,
        type,
        [edges, values, [null, null], values.slice(0, 3)],
        parameters as Record<string, string | bigint>,
      )
    }
    expect(context.usedBytes()).toBe(before)
  })

  it('follows dictionaries that are replaced by others', async () => {
    const context = await makeContext()
    const before = context.usedBytes()
    const schema = { x: nullable(utf8()) } satisfies SchemaShape
    const type: ModelType = { kind: 'utf8', nullable: true }
    for (const parameters of [{}, { key: KEY }] as Record<string, string>[]) {
      const resolved = resolve(hash(parameters), schema)
      const { evaluate, free } = compileExpression(context, resolved, schema)
      for (const values of [
        ['a', 'b'],
        ['c', null],
        ['b', 'd'],
      ]) {
        const vector = evaluate(morselOf(context, batchOfModel(tableIn(type, values))), new Failures())
        const wanted = values.map(value => FUNCTIONS.hash.evaluate([value], { parameters, types: [type], row: 0 }))
        const shape = { x: typeOf(resolved, schema) }
        expectTable(
          tableOf(context, { rowCount: 2, columns: [vector] }, shape),
          tableIn(FUNCTIONS.hash.type([type], parameters), wanted),
        )
        expect(vector.dictionary?.length ?? 2).toBeLessThanOrEqual(2)
        context.loader.close()
      }
      free()
    }
    expect(context.usedBytes()).toBe(before)
  })

  it('shows no key', () => {
    expect(printExpression(hash({ key: KEY }))).toBe('hash(x, key)')
    expect(printExpression(hash({ seed: 3n }))).toBe('hash(x, 3)')
    const flow = columns({ s: ['a'] }).derive(t => ({ x: t.s.hash({ key: KEY }) }))
    expect(flow.explain()).not.toContain(KEY)
  })

  it('takes a key of 16 bytes and nothing else, and does not repeat it', () => {
    const flow = columns({ s: ['a'] }) as any
    const attempt = (given: unknown) => () => flow.derive((t: any) => ({ x: t.s.hash(given) }))
    for (const key of [undefined, 'secret', `${KEY}00`, new Uint8Array(15), KEY.replace('0', 'g')]) {
      expect(attempt({ key })).toThrow(/the key is 16 bytes: a Uint8Array, or 32 hexadecimal digits$/)
    }
    expect(attempt(1.5)).toThrow(/the seed is an integer/)
    expect(attempt('seed')).toThrow(/a key is said as \{ key \}/)
    attempt({ key: new Uint8Array(16) })()
    attempt({ key: KEY.toUpperCase() })()
  })
})
