// Tables held in a lane: counted by their users, reported by split.
import { describe, expect, it } from 'vitest'
import { list, nullable, type SchemaShape, utf8 } from '../../src/columnar/type.js'
import { copyToHeap } from '../../src/operators/heap-batch.js'
import { dictionariesOf, type HeldTable, releaseTable, reportTable, retainTable } from '../../src/workers/held-table.js'
import { batchOf, type Context, makeContext, morselOf, rowsOf } from '../operators/support.js'

const schema = { text: nullable(utf8()) } satisfies SchemaShape

function tableOf(context: Context, ...chunks: [split: number, ...values: (string | null)[]][]): HeldTable {
  let firstRow = 0
  const held = chunks.map(([split, ...text]) => {
    const batch = copyToHeap(context.k, morselOf(context, batchOf({ text }, schema)))
    for (const dictionary of dictionariesOf(batch)) context.dictionaries.retain(dictionary)
    firstRow += text.length
    return { split, firstRow: firstRow - text.length, batch }
  })
  context.loader.close()
  return { schema, chunks: held, users: 1, ranges: null }
}

describe('a held table', () => {
  it('is freed with its dictionaries when the last of its users lets go', async () => {
    const context = await makeContext()
    const table = tableOf(context, [0, 'a', 'b'], [1, null])
    expect(context.usedBytes()).toBeGreaterThan(0)
    retainTable(table)
    releaseTable(context, table)
    expect(table.chunks).toHaveLength(2)
    releaseTable(context, table)
    expect(table.chunks).toHaveLength(0)
    expect(context.usedBytes()).toBe(0)
  })

  it('holds lists with the dictionaries of their strings, and counts their items', async () => {
    const context = await makeContext()
    const words = { words: nullable(list(utf8())) }
    const batch = copyToHeap(context.k, morselOf(context, batchOf({ words: [['a', 'b'], null, ['a']] }, words)))
    for (const dictionary of dictionariesOf(batch)) context.dictionaries.retain(dictionary)
    context.loader.close()
    const table: HeldTable = { schema: words, chunks: [{ split: 0, firstRow: 0, batch }], users: 1, ranges: null }
    // Four offsets, one bitmap, three codes, two entries of a byte and an offset each.
    expect(reportTable(table).byteLength).toBe(4 * 4 + 16 + 3 * 4 + 2 * (4 + 1))
    expect(rowsOf(context, batch, words)).toEqual([{ words: ['a', 'b'] }, { words: null }, { words: ['a'] }])
    releaseTable(context, table)
    expect(context.usedBytes()).toBe(0)
  })

  it('reports its rows by split, and its bytes, a shared dictionary once', async () => {
    const context = await makeContext()
    const table = tableOf(context, [0, 'a', 'b'], [0, 'a'], [3, 'b', null])
    const { splits, byteLength } = reportTable(table)
    expect(splits).toEqual([
      { split: 0, rowCount: 3 },
      { split: 3, rowCount: 2 },
    ])
    // Five codes, one bitmap, two entries of a byte and an offset each.
    expect(byteLength).toBe(5 * 4 + 16 + 2 * (4 + 1))
    releaseTable(context, table)
    expect(reportTable(table)).toEqual({ splits: [], byteLength: 0, codes: [] })
  })
})
