/**
 * The main job on the real file: three million flights, in eleven row groups. The figures were worked out from the file by another
 * reader (hyparquet) and plain JavaScript, not by Millrace.
 */
import { describe, expect, it } from 'vitest'
import { count, desc, max, mean, min, type Progress, parquet, sum, typeName } from '../../src/index.js'
import { type FlowEnv, onLanes } from './env.js'

const ROWS = 3_000_000
const HOURS = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 4]

export function parquetSuite(lanesList: readonly number[], env: FlowEnv): void {
  describe('three million flights', () => {
    onLanes(lanesList, (engine, lanes) => {
      const flights = async () => parquet(await env.flights())
      const collect = (flow: { collect(options: object): Promise<any> }) => flow.collect({ engine: engine() })

      it('the busiest origins, with their mean and worst delay', async () => {
        const flow = (await flights())
          .groupBy('origin')
          .aggregate((t: any) => ({ n: count(), total: sum(t.delay), mean: mean(t.delay), worst: max(t.delay) }))
        const table = await collect(flow)
        expect(table.rowCount).toBe(229)
        expect(table.column('origin').toArray().slice(0, 3)).toEqual(['LAS', 'ATL', 'MCI'])
        const top = await collect(flow.orderBy(desc('n')).limit(5))
        expect(top.toRows()).toEqual(
          [
            { origin: 'ORD', n: 166_341, total: 1_542_589, worst: 940 },
            { origin: 'DFW', n: 157_162, total: 1_210_298, worst: 867 },
            { origin: 'ATL', n: 124_711, total: 1_100_966, worst: 1154 },
            { origin: 'LAX', n: 115_245, total: 855_417, worst: 1191 },
            { origin: 'PHX', n: 93_036, total: 929_839, worst: 1447 },
          ].map(row => ({ ...row, mean: row.total / row.n })),
        )
      })

      it('delays by hour of day, the hours in order of first appearance', async () => {
        const flow = (await flights())
          .derive((t: any) => ({ hour: t.date.hour() }))
          .groupBy('hour')
          .aggregate((t: any) => ({ n: count(), total: sum(t.delay) }))
        const table = await collect(flow)
        expect(table.column('hour').toArray()).toEqual(Int32Array.from(HOURS))
        expect(table.at(0)).toEqual({ hour: 0, n: 10_349, total: 451_983 })
        expect(table.at(-1)).toEqual({ hour: 4, n: 340, total: 4466 })
        expect(table.at(18)).toEqual({ hour: 19, n: 172_233, total: 2_076_537 })
      })

      it('the ten worst routes with at least 500 flights', async () => {
        const flow = (await flights())
          .groupBy('origin', 'destination')
          .aggregate((t: any) => ({ n: count(), total: sum(t.delay), mean: mean(t.delay) }))
        expect((await collect(flow)).rowCount).toBe(3399)
        const table = await collect(
          flow
            .filter((t: any) => t.n.gte(500))
            .orderBy(desc('mean'))
            .limit(10),
        )
        const routes = table.toRows().map((row: any) => `${row.origin}-${row.destination} ${row.n} ${row.total}`)
        expect(routes).toEqual([
          'PHX-DTW 1495 48509',
          'BOS-JFK 1918 54551',
          'BOS-BGR 1411 32971',
          'JFK-BWI 836 19333',
          'RIC-LGA 595 13595',
          'JFK-BOS 1912 42038',
          'JFK-BUF 885 19354',
          'JFK-RDU 824 17817',
          'ROC-JFK 832 17836',
          'JFK-PVD 729 15527',
        ])
        expect(table.at(0).mean).toBe(48_509 / 1495)
      })

      it('days of the week, months and a filter on two columns', async () => {
        const days = await collect(
          (await flights())
            .derive((t: any) => ({ day: t.date.dayOfWeek() }))
            .groupBy('day')
            .aggregate(() => ({ n: count() }))
            .orderBy('day'),
        )
        expect([...days.column('n')]).toEqual([436_543, 439_997, 440_949, 443_373, 442_673, 390_325, 406_140])
        const months = await collect(
          (await flights())
            .derive((t: any) => ({ month: t.date.month() }))
            .groupBy('month')
            .aggregate(() => ({ n: count() })),
        )
        expect([...months.column('n')]).toEqual([508_239, 458_170, 511_502, 501_030, 518_831, 502_222, 6])
        const far = await collect(
          (await flights())
            .filter((t: any) => t.delay.gt(60).and(t.distance.gte(1000)))
            .aggregate(() => ({ n: count() })),
        )
        expect(far.toRows()).toEqual([{ n: 38_864 }])
      })

      if (lanes === 2) {
        it('whatever they come by', async () => {
          const bytes = await env.flightsBytes()
          async function* chunks() {
            for (let at = 0; at < bytes.length; at += 1_000_000) yield bytes.subarray(at, at + 1_000_000)
          }
          for (const input of [bytes, new Response(bytes), new Blob([bytes]).stream(), chunks(), new Blob([bytes])]) {
            const table = await collect(parquet(input).aggregate((t: any) => ({ n: count(), delay: sum(t.delay) })))
            expect(table.toRows()).toEqual([{ n: 3_000_000, delay: 20_003_603 }])
          }
        })
      }

      it('the whole file: its schema, its extremes, its first, middle and last rows', async () => {
        const table = await collect(
          (await flights()).aggregate((t: any) => ({
            n: count(),
            delay: sum(t.delay),
            distance: sum(t.distance),
            least: min(t.delay),
            most: max(t.delay),
            from: min(t.date),
            to: max(t.date),
            origin: max(t.origin),
          })),
        )
        expect(table.toRows({ bigint: true })).toEqual([
          {
            n: 3_000_000n,
            delay: 20_003_603n,
            distance: 2_194_861_208n,
            least: -1116n,
            most: 1688n,
            from: BigInt(Date.UTC(2001, 0, 1, 0, 1)) * 1000n,
            to: BigInt(Date.UTC(2001, 6, 1)) * 1000n,
            origin: 'YAK',
          },
        ])
        for (const [row, expected] of [
          [
            0,
            {
              date: new Date(Date.UTC(2001, 0, 1, 0, 1)),
              delay: 33,
              distance: 2176,
              origin: 'LAS',
              destination: 'PHL',
            },
          ],
          [
            1_500_000,
            {
              date: new Date(Date.UTC(2001, 3, 2, 10, 53)),
              delay: -10,
              distance: 166,
              origin: 'HPN',
              destination: 'BOS',
            },
          ],
          [
            2_999_999,
            { date: new Date(Date.UTC(2001, 6, 1)), delay: 33, distance: 373, origin: 'ATL', destination: 'CVG' },
          ],
        ] as const) {
          const one = await collect((await flights()).limit(1, row))
          expect(one.toRows()).toEqual([expected])
          expect(Object.values(one.schema).map((type: any) => typeName(type))).toEqual([
            "nullable(timestamp('us'))",
            'nullable(int64)',
            'nullable(int64)',
            'nullable(utf8)',
            'nullable(utf8)',
          ])
        }
      })

      it('row groups that cannot hold a row are not read', async () => {
        const seen: Progress[] = []
        const july = (await flights()).filter((t: any) => t.date.gte(new Date(Date.UTC(2001, 6, 1))))
        const table = await july
          .aggregate(() => ({ n: count() }))
          .collect({ engine: engine(), onProgress: (progress: Progress) => seen.push(progress) })
        expect(table.toRows()).toEqual([{ n: 6 }])
        expect(seen.at(-1)?.totalRows).toBeLessThan(ROWS / 5)
      })

      it('loaded once, they answer again and again', async () => {
        const loaded = await (await flights()).select('delay', 'distance').load({ engine: engine() })
        expect(loaded.rowCount).toBe(ROWS)
        for (let again = 0; again < 2; again++) {
          const table = await loaded
            .filter((t: any) => t.delay.gt(60).and(t.distance.gte(1000)))
            .aggregate(() => ({ n: count() }))
            .collect()
          expect(table.toRows()).toEqual([{ n: 38_864 }])
        }
        await loaded.close()
      })
    })
  })
}
