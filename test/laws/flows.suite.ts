/** The laws of whole flows: the model's answer, bit for bit, however the rows come in and however many lanes there are. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrow, collectAll, type Engine, type Loaded, type RecordBatch, stream, Table } from '../../src/index.js'
import type { ModelTable } from '../oracle/value.js'
import { type ModelVerb, runModel } from '../oracle/verbs.js'
import { beside, CARRIERS, type Carrier, canCarry, carry } from './carriers.js'
import { expectTable } from './compare.js'
import { ALL, someFailingFlow, someFlow } from './flows.js'
import { type AnyFlow, applyVerb, applyVerbs } from './handles.js'
import { type Case, cases, check, expectedOf, expectFlow, type LawOptions, longTest, openEngines } from './support.js'
import { fieldsOf, overflowingTypes, spread, tables, types } from './tables.js'

/** In memory a split has at most 262,144 rows, so this many make at least three. */
const LARGE_ROWS = 560_000
/** Of a Parquet file each row group is a split: these make seven. */
const LARGE_PARQUET_ROWS = 70_000
/** Quickly made of many rows. */
const SHARED: readonly Carrier[] = ['dictionary', 'chunks', 'parquet', 'arrow']

export function flowLaws(lanesList: readonly number[], options: LawOptions): void {
  describe('laws of flows', () => {
    const engines = openEngines(lanesList)
    const engineOf = (lanes: number) => engines.get(lanes) as Engine
    const small = cases(tables(40), (table, choices) => someFlow(table, choices, 5))

    async function holdsEverywhere(one: Case): Promise<void> {
      const expected = expectedOf(one)
      for (const [i, carrier] of carriersOf(one).entries()) {
        const flow = applyVerbs(await carry(one.table, carrier, one.draw()), one.verbs)
        // Every source on some engine, and every engine with some source.
        for (const lanes of i === 0 ? lanesList : [lanesList[i % lanesList.length] as number]) {
          await expectFlow(flow, engineOf(lanes), expected, `${carrier}, ${lanes} lanes`)
        }
      }
    }

    it(
      'a flow gives what the model gives, from every source, on every number of lanes',
      { timeout: longTest(options) },
      () => check(options, 150, small, holdsEverywhere),
    )

    it(
      'an overflow is reported at the least failing row, from every source, on every number of lanes',
      { timeout: longTest(options) },
      () => check(options, 80, cases(tables(40, fieldsOf(4, overflowingTypes)), someFailingFlow), holdsEverywhere),
    )

    it(
      'a verb at a time gives what the whole flow gives, so no rewrite changes an answer',
      { timeout: longTest(options) },
      () =>
        check(options, 40, small, async one => {
          const engine = engineOf(lanesList[0] as number)
          let flow = await carry(one.table, 'rows', one.draw())
          for (const verb of one.verbs) flow = (await applyVerb(flow, verb).collect({ engine })).flow()
          await expectFlow(flow, engine, expectedOf(one), 'a verb at a time')
        }),
    )

    it('and so whatever its rows become in between', { timeout: longTest(options) }, () =>
      check(options, 60, small, async one => {
        const choices = one.draw()
        const lanes = choices.pick(lanesList)
        const engine = engineOf(lanes)
        const held: Loaded<any>[] = []
        const ways: string[] = []
        let flow = await carry(one.table, choices.pick(carriersOf(one)), choices)
        for (const verb of one.verbs) {
          flow = applyVerb(flow, verb)
          const way = choices.pick(WAYS)
          ways.push(way)
          if (way === 'loaded') {
            held.push(await flow.load({ engine }))
            flow = held[held.length - 1] as Loaded<any>
          } else {
            const next = await handedOn(flow, way, engine)
            // No batch, so nothing that says its columns.
            if (next === null) {
              const before = expectedOf({ ...one, verbs: one.verbs.slice(0, ways.length) })
              expect(before).toMatchObject({ table: { rows: [] } })
              return
            }
            flow = next
          }
        }
        await expectFlow(flow, engine, expectedOf(one), `${lanes} lanes, ${ways.join(', ')}`)
        for (const each of held) await each.close()
      }),
    )

    it('what is loaded answers as its source does, as often as it is asked', { timeout: longTest(options) }, () =>
      check(options, 40, small, async one => {
        const expected = expectedOf(one)
        for (const lanes of lanesList) {
          const engine = engineOf(lanes)
          const carrier = one.draw().pick(carriersOf(one))
          const loaded = await (await carry(one.table, carrier, one.draw())).load({ engine })
          expect(loaded.rowCount).toBe(one.table.rows.length)
          const sides = new Map<ModelTable, Loaded<any>>()
          const choices = one.draw()
          for (const table of sidesOf(one.verbs))
            if (!choices.chance(30)) sides.set(table, await beside(table).load({ engine }))
          const side = (table: ModelTable): AnyFlow =>
            table.made === undefined
              ? (sides.get(table) ?? beside(table))
              : applyVerbs(side(table.made.table), table.made.verbs, side)
          for (const time of ['first', 'second']) {
            await expectFlow(
              applyVerbs(loaded, one.verbs, side),
              engine,
              expected,
              `loaded from ${carrier}, ${lanes} lanes, ${time} time`,
            )
          }
          for (const each of [loaded, ...sides.values()]) await each.close()
        }
      }),
    )

    it('flows that begin alike give together what each gives by itself', { timeout: longTest(options) }, () =>
      check(options, 40, small, async one => {
        const carrier = one.draw().pick(carriersOf(one))
        const lengths = [one.verbs.length, one.draw().below(one.verbs.length + 1)]
        const chains = lengths.map(length => one.verbs.slice(0, length))
        for (const lanes of lanesList) {
          // A stream is read but once: by all flows together.
          const source = await carry(one.table, carrier, one.draw())
          const flows = Object.fromEntries(chains.map((verbs, i) => [`flow ${i}`, applyVerbs(source, verbs)]))
          const tables = Object.values(await collectAll(flows, { engine: engineOf(lanes) }))
          for (const [i, verbs] of chains.entries()) {
            expectTable(tables[i] as Table, runModel(one.table, verbs))
          }
        }
      }),
    )

    const passing = { ...ALL, verbs: ['derive', 'filter', 'select', 'drop', 'rename', 'dropNulls'] } as const
    /** Mostly strings, which go out as they came where nothing looks at them. */
    const texts = fc.oneof(
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('utf8' as const), nullable: fc.boolean() }) },
      { weight: 1, arbitrary: types },
    )

    it('a flow that only computes and filters gives batch by batch what the model gives', {
      timeout: longTest(options),
    }, () => {
      const some = fc.oneof(
        { weight: 9, arbitrary: tables(40, fieldsOf(5, texts)) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(tables(300, fieldsOf(4, texts)), fc.nat())
            .map(([block, seed]) => spread(block, LARGE_PARQUET_ROWS, seed)),
        },
      )
      return check(
        options,
        80,
        cases(some, (table, choices) => someFlow(table, choices, 4, undefined, passing)),
        async one => {
          const expected = runModel(one.table, one.verbs)
          const isLarge = one.table.rows.length > 1000
          const carriers = isLarge ? carriersOf(one).filter(carrier => SHARED.includes(carrier)) : carriersOf(one)
          for (const [i, carrier] of carriers.entries()) {
            const engine = engineOf(lanesList[(i + one.table.rows.length) % lanesList.length] as number)
            const flow = applyVerbs(await carry(one.table, carrier, one.draw()), one.verbs)
            const batches: RecordBatch[] = []
            for await (const batch of flow.run({ engine })) batches.push(batch)
            if (batches.length === 0) expect(expected.rows).toEqual([])
            else expectTable(new Table((batches[0] as RecordBatch).schema, batches), expected)
          }
        },
      )
    })

    it('many rows in many splits give what the model gives, on every number of lanes', {
      timeout: longTest(options),
    }, () => {
      const ends = fc.constantFrom('aggregate', 'limit', 'aggregate', 'filter', undefined)
      const blocks = tables(300).filter(({ rows }) => rows.length > 0)
      const large = fc
        .tuple(blocks, fc.nat(), ends, fc.constantFrom<Carrier>('columns', 'parquet', 'chunks'))
        .chain(([block, seed, end, wanted]) => {
          const carrier = canCarry(block, wanted) ? wanted : 'columns'
          const rowCount = carrier === 'parquet' ? LARGE_PARQUET_ROWS : LARGE_ROWS
          const table = spread(block, rowCount, seed)
          const made = cases(fc.constant(table), (_, choices) =>
            someFlow(table, choices, 2, end, { ...ALL, grows: false }),
          )
          return made.map(one => ({ ...one, carrier }))
        })
      return check(options, 4, large, async one => {
        const expected = expectedOf(one)
        const flow = applyVerbs(await carry(one.table, one.carrier, one.draw()), one.verbs)
        for (const lanes of lanesList) {
          await expectFlow(
            flow,
            engineOf(lanes),
            expected,
            `${one.carrier}, ${one.table.rows.length} rows, ${lanes} lanes`,
          )
        }
      })
    })
  })
}

/** The tables that stand beside others, wherever, of which none is made of another. */
function sidesOf(verbs: readonly ModelVerb[]): ModelTable[] {
  return verbs.flatMap(verb => {
    if (verb.verb === 'union') return verb.others.flatMap(other => [other.table, ...sidesOf(other.verbs)])
    if (verb.verb !== 'join' && verb.verb !== 'asofJoin') return []
    const { made } = verb.right
    return made === undefined ? [verb.right] : [made.table, ...sidesOf(made.verbs)]
  })
}

/** What rows may become between a verb and the next. */
const WAYS = ['loaded', 'table', 'batches', 'arrow', 'stream', 'nothing'] as const

async function handedOn(flow: AnyFlow, way: (typeof WAYS)[number], engine: Engine): Promise<AnyFlow | null> {
  if (way === 'nothing') return flow
  if (way === 'table') return (await flow.collect({ engine })).flow()
  if (way === 'arrow') return arrow(await (await flow.collect({ engine })).toArrow())
  if (way === 'batches') {
    const batches: RecordBatch<any>[] = []
    for await (const batch of flow.run({ engine })) batches.push(batch)
    return batches[0] === undefined ? null : new Table(batches[0].schema, batches).flow()
  }
  const { schema, batches } = await flow.collect({ engine })
  return stream(
    (async function* () {
      yield* batches
    })(),
    { schema },
  )
}

function carriersOf({ table }: Case): readonly Carrier[] {
  return CARRIERS.filter(carrier => canCarry(table, carrier))
}
