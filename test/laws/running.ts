/** What laws of flows that run on have in common: rows in any batches at any pace, and what comes out folded. */
import fc from 'fast-check'
import { openRows } from '../../src/columnar/input.js'
import { type Flow, type RecordBatch, rows as rowsOf, type SchemaShape, stream } from '../../src/index.js'
import { soon } from '../../src/sources/soon.js'

/** How rows come: how many at a time and in what form, and where the source waits for a turn of the event loop. */
export interface Pace {
  readonly cuts: readonly number[]
  readonly waits: readonly boolean[]
  readonly forms: readonly Form[]
}

/** A part of a batch that all are of, whose strings have one dictionary; a batch of its own; rows; and, before others, a batch without rows. */
type Form = 'part' | 'own' | 'rows' | 'none'

export const forms: fc.Arbitrary<readonly Form[]> = fc.oneof(
  fc.constant<readonly Form[]>(['part']),
  fc.array(fc.constantFrom<Form>('part', 'own', 'rows', 'none'), { minLength: 1, maxLength: 4 }),
)

export const pace: fc.Arbitrary<Pace> = fc.record({
  cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
  waits: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  forms,
})

/** All rows of a flow, so many at a time. */
export async function* inBatches(
  source: Flow<any>,
  cuts: readonly number[],
  forms: readonly Form[] = ['part'],
): AsyncGenerator<RecordBatch> {
  const [batch] = (await source.collect({ lanes: 0 })).batches
  if (batch === undefined) return
  for (let row = 0, i = 0; row < batch.rowCount; i++) {
    const end = row + (cuts[i % cuts.length] as number)
    const part = batch.slice(row, end) as RecordBatch
    const form = forms[i % forms.length]
    if (form === 'none') yield batch.slice(0, 0) as RecordBatch
    const rows = form === 'own' || form === 'rows' ? part.toRows({ bigint: true }) : []
    if (form === 'rows') yield rows as unknown as RecordBatch
    else if (form === 'own') yield openRows(rows, batch.schema).read(0, rows.length) as RecordBatch
    else yield part
    row = end
  }
}

/** A stream of rows at a pace. */
export function paced(rows: readonly object[], shape: SchemaShape, { cuts, waits, forms }: Pace): Flow<any> {
  async function* batches(): AsyncGenerator<RecordBatch> {
    let i = 0
    for await (const batch of inBatches(rowsOf(rows as never, shape as never) as unknown as Flow<any>, cuts, forms)) {
      yield batch
      if (waits[i++ % waits.length]) await soon()
    }
  }
  return stream(batches(), { schema: shape as any })
}

export const text = (row: object): string =>
  JSON.stringify(row, (_, value) =>
    typeof value === 'bigint'
      ? `${value}n`
      : typeof value === 'number'
        ? Object.is(value, -0)
          ? '-0'
          : String(value)
        : value,
  )

/**
 * Rows that are left, each as often as it is: what has been taken back is gone, and nothing is taken back that had not been given.
 * @param keys of groups, of which none is told where nothing of it has changed
 */
export async function folded(job: AsyncIterable<RecordBatch>, keys: readonly string[] = []): Promise<string[]> {
  const counts = new Map<string, number>()
  const takenBack = new Map<string, string>()
  for await (const batch of job) {
    for (const [i, row] of batch.toRows({ bigint: true }).entries()) {
      const name = text(row)
      const weight = batch.weights === null ? 1 : (batch.weights[i] as number)
      const now = (counts.get(name) ?? 0) + weight
      if (now < 0) throw new Error(`${name} is taken back, and had not been given`)
      counts.set(name, now)
      if (keys.length === 0) continue
      const group = text(keys.map(key => row[key]))
      if (weight < 0) takenBack.set(group, name)
      else if (takenBack.get(group) === name) throw new Error(`${name} is told anew, and has not changed`)
    }
  }
  return [...counts].flatMap(([name, times]) => Array.from({ length: times }, () => name)).sort()
}

/** Times onwards, now and then back, by no more than `disorder`. */
export const timesOf = (disorder: number, most = 40): fc.Arbitrary<readonly (bigint | null)[]> =>
  fc
    .array(
      fc.record({
        step: fc.integer({ min: 0, max: 9 }),
        back: fc.integer({ min: 0, max: disorder }),
        isNull: fc.integer({ min: 0, max: 15 }).map(n => n === 0),
      }),
      { maxLength: most },
    )
    .chain(steps =>
      fc.integer({ min: -25, max: 10 }).map(start => {
        let latest = start
        return steps.map(({ step, back, isNull }) => {
          if (isNull) return null
          latest += step
          return BigInt(latest - back)
        })
      }),
    )
