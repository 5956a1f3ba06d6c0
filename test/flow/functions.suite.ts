/** Functions of strings and of time as a user writes them, on every number of lanes: pinned facts. Random ones are test/operators and test/laws. */
import { describe, expect, it } from 'vitest'
import { columns, date, int32, nullable, rows, schema, timestamp, typeName, utf8 } from '../../src/index.js'
import { type FlowEnv, onLanes, refusal } from './env.js'

export function functionSuite(lanesList: readonly number[], _env: FlowEnv): void {
  describe('functions', () => {
    onLanes(lanesList, engine => {
      const collect = <T>(flow: { collect(options: object): Promise<T> }) => flow.collect({ engine: engine() })
      /** One column of instants, and what `of` makes of it, in ISO. */
      const instants = async (texts: readonly string[], of: (t: any) => any, unit: 'ms' | 's' = 'ms') => {
        const at = texts.map(text => ({ at: new Date(text) }))
        const table = await collect(rows(at, schema({ at: timestamp(unit) })).derive((t: any) => ({ it: of(t.at) })))
        return (table.toRows() as { it: unknown }[]).map(({ it }) => (it instanceof Date ? it.toISOString() : it))
      }

      it('of strings know code points, and leave nulls alone', async () => {
        const names = rows([{ s: '  Ærøskøbing😀 ' }, { s: null }, { s: 'a,b,,c' }], schema({ s: nullable(utf8()) }))
        const table = await collect(
          names.derive(t => ({
            trimmed: t.s.trim(),
            upper: t.s.trim().upper(),
            last: t.s.trim().slice(-1),
            length: t.s.length(),
            second: t.s.split(',', 1),
            none: t.s.split(',', 7),
            padded: t.s.split(',', 0).padStart(3, '·'),
            has: t.s.contains('øb'),
            both: t.s.concat('/', t.s),
          })),
        )
        expect(table.toRows().map(({ s: _, ...row }) => Object.values(row))).toEqual([
          [
            'Ærøskøbing😀',
            'ÆRØSKØBING😀',
            '😀',
            14,
            null,
            null,
            '  Ærøskøbing😀 ',
            true,
            '  Ærøskøbing😀 /  Ærøskøbing😀 ',
          ],
          [null, null, null, null, null, null, null, null, null],
          ['a,b,,c', 'A,B,,C', 'c', 6, 'b', null, '··a', false, 'a,b,,c/a,b,,c'],
        ])
      })

      it('of strings are keys, filters and inputs of aggregates like columns', async () => {
        const flow = columns({ s: ['Ab', 'aB', 'b', 'B ', 'c'] })
        const table = await collect(
          flow
            .derive(t => ({ key: t.s.trim().lower() }))
            .filter(t => t.key.length().eq(1))
            .groupBy('key')
            .aggregate(() => ({}))
            .orderBy('key'),
        )
        expect(table.column('key').toArray()).toEqual(['b', 'c'])
      })

      it('of strings search by patterns, and refuse those that may run for ever', async () => {
        const flow = rows([{ s: 'id=17; Name=Ann' }, { s: 'none' }, { s: null }], schema({ s: nullable(utf8()) }))
        const table = await collect(
          flow.derive(t => ({
            id: t.s.extract(/id=(\d+)/),
            name: t.s.extract(/name=(?<who>\w+)/i, 'who'),
            all: t.s.extract(/\w+$/),
            has: t.s.matches(/^id=/),
          })),
        )
        expect(table.toRows().map(({ s: _, ...row }) => Object.values(row))).toEqual([
          ['17', 'Ann', 'Ann', true],
          [null, null, 'none', false],
          [null, null, null, null],
        ])
        const slow = await refusal(() => collect(flow.filter(t => t.s.matches(/(a+)+$/))), 'MR_INVALID_OPTION')
        expect(slow.message).toContain('exponentially')
        await refusal(() => flow.filter(t => t.s.matches(/a/g)), 'MR_INVALID_OPTION')
        await refusal(() => flow.derive(t => ({ x: t.s.extract(/a/, 2) })), 'MR_INVALID_OPTION')
        const long = columns({ s: ['x', 'a'.repeat(50_000)] }).filter(t => t.s.matches(/a+b/))
        expect(await refusal(() => collect(long), 'MR_INVALID_OPTION')).toMatchObject({ details: { row: 1 } })
      })

      it('of strings read instants, numbers and JSON', async () => {
        const table = await collect(
          columns({
            iso: ['2024-03-31T01:30:00.250+01:00', ' 1969-12-31 ', '31.3.2024'],
            local: ['31.3.2024 02:30', '27.10.2024 02:30', '30.2.2024 00:00'],
            n: [' -1.5e3', '12 apples', '.5'],
            json: ['{"a":{"b":[1,{"c":"x"}]},"n":12345678901234567890}', '{"a":null,"n":7}', '{'],
          }).derive(t => ({
            iso: t.iso.parseTime(),
            local: t.local.parseTime('%d.%m.%Y %H:%M', { zone: 'Europe/Berlin' }),
            n: t.n.toNumber(),
            c: t.json.json('a.b[1].c'),
            number: t.json.json('n'),
            int: t.json.json('n', int32()),
          })),
        )
        const { json: _, ...types } = table.schema
        expect(Object.values(types).map(typeName)).toEqual([
          "nullable(timestamp('ms'))",
          "nullable(timestamp('ms'))",
          'nullable(float64)',
          'nullable(utf8)',
          'nullable(utf8)',
          'nullable(int32)',
        ])
        expect(table.toRows().map(({ json: _, ...row }) => Object.values(row))).toEqual([
          [
            new Date('2024-03-31T00:30:00.250Z'),
            new Date('2024-03-31T01:30Z'),
            -1500,
            'x',
            '12345678901234567890',
            null,
          ],
          [new Date('1969-12-31T00:00Z'), new Date('2024-10-27T00:30Z'), null, null, '7', 7],
          [null, null, 0.5, null, null, null],
        ])
        await refusal(() => collect(columns({ s: ['x'] }).derive(t => ({ x: t.s.json('a..b') }))), 'MR_INVALID_OPTION')
        await refusal(
          () => collect(columns({ s: ['x'] }).derive(t => ({ x: t.s.parseTime('%H') }))),
          'MR_INVALID_OPTION',
        )
        await refusal(
          () => columns({ s: ['x'] }).derive(t => ({ x: t.s.parseTime(undefined, { zone: 'UTC' }) })),
          'MR_INVALID_OPTION',
        )
        const zoned = (format: string) =>
          columns({ s: ['2024-01-02 %z'] }).derive(t => ({ x: t.s.parseTime(format, { zone: 'Asia/Tokyo' }) }))
        await refusal(() => zoned('%Y-%m-%d %%%z'), 'MR_INVALID_OPTION')
        expect([...(await collect(zoned('%Y-%m-%d %%z'))).column('x')]).toEqual([new Date('2024-01-01T15:00Z')])
      })

      it('parts are those of the zone, of the column or of the call', async () => {
        const shape = schema({ utc: timestamp('ms'), tokyo: timestamp('ms', 'Asia/Tokyo') })
        const at = new Date('2024-12-31T22:30:15.250Z')
        const table = await collect(
          rows([{ utc: at, tokyo: at }], shape).derive(t => ({
            a: t.utc.hour(),
            b: t.tokyo.hour(),
            c: t.utc.hour('America/New_York'),
            d: t.tokyo.hour('UTC'),
            e: t.tokyo.year(),
            f: t.utc.week(),
            g: t.utc.quarter('+03:00'),
            h: t.utc.minute('Asia/Kolkata'),
            i: t.utc.second(),
            j: t.utc.millisecond(),
            k: t.tokyo.date(),
            l: t.utc.dayOfYear(),
            m: t.utc.epoch('s'),
          })),
        )
        const { utc: _u, tokyo: _t, ...row } = table.toRows()[0] as Record<string, unknown>
        expect(Object.values(row)).toEqual([22, 7, 17, 22, 2025, 1, 1, 0, 15, 250, '2025-01-01', 366, 1735684215])
        expect(typeName(table.schema.k)).toBe('date')
      })

      it('a day in a zone begins at its midnight, has 23 or 25 hours where clocks change, and may begin later', async () => {
        const berlin = ['2024-03-31T21:59:59Z', '2024-03-30T23:00:00Z', '2024-10-27T22:59:59Z', '1969-12-31T23:30:00Z']
        expect(await instants(berlin, t => t.truncate('day', { zone: 'Europe/Berlin' }))).toEqual([
          '2024-03-30T23:00:00.000Z',
          '2024-03-30T23:00:00.000Z',
          '2024-10-26T22:00:00.000Z',
          '1969-12-31T23:00:00.000Z',
        ])
        // In São Paulo that day began at one o'clock.
        expect(
          await instants(['2018-11-04T12:00:00Z'], t => t.truncate('1 day', { zone: 'America/Sao_Paulo' })),
        ).toEqual(['2018-11-04T03:00:00.000Z'])
        // In Havana midnight came twice.
        expect(await instants(['2024-11-03T12:00:00Z'], t => t.truncate('1 day', { zone: 'America/Havana' }))).toEqual([
          '2024-11-03T04:00:00.000Z',
        ])
      })

      it('the two hours between two and three stay two', async () => {
        const texts = ['2024-10-27T00:30:00Z', '2024-10-27T01:30:00Z']
        expect(await instants(texts, t => t.truncate('hour', { zone: 'Europe/Berlin' }))).toEqual([
          '2024-10-27T00:00:00.000Z',
          '2024-10-27T01:00:00.000Z',
        ])
      })

      it('a day later the clock shows the same, where there is such a time', async () => {
        const berlin = { zone: 'Europe/Berlin' }
        const texts = ['2024-03-30T01:30:00Z', '2024-10-26T00:30:00Z', '2024-03-30T12:00:00Z']
        expect(await instants(texts, t => t.add('1 day', berlin))).toEqual([
          // Half past two is skipped: half past three. The second time: the first of two.
          '2024-03-31T01:30:00.000Z',
          '2024-10-27T00:30:00.000Z',
          '2024-03-31T11:00:00.000Z',
        ])
        expect(await instants(texts, t => t.add('24h', berlin))).toEqual([
          '2024-03-31T01:30:00.000Z',
          '2024-10-27T00:30:00.000Z',
          '2024-03-31T12:00:00.000Z',
        ])
      })

      it('a month after the 31st is the last day of a month that has none', async () => {
        const days = rows(
          [{ d: '2024-01-31' }, { d: '2023-01-31' }, { d: '1969-12-31' }],
          schema({ d: date() }),
        ).derive(t => ({
          a: t.d.add('1 month'),
          b: t.d.add('-1 year'),
          c: t.d.truncate('quarter'),
          e: t.d.diff('2024-01-30', 'day'),
        }))
        expect((await collect(days)).toRows()).toEqual([
          { d: '2024-01-31', a: '2024-02-29', b: '2023-01-31', c: '2024-01-01', e: 1 },
          { d: '2023-01-31', a: '2023-02-28', b: '2022-01-31', c: '2023-01-01', e: -364 },
          { d: '1969-12-31', a: '1970-01-31', b: '1968-12-31', c: '1969-10-01', e: -19_753 },
        ])
      })

      it('years far away follow the last rules that are known', async () => {
        const texts = ['0001-06-15T12:00:00Z', '3024-06-15T12:00:00Z', '9999-12-31T12:00:00Z']
        const of = (zone: string) => instants(texts, t => t.hour(zone))
        expect(await of('Europe/Berlin')).toEqual([12, 14, 13])
        expect(await of('Australia/Sydney')).toEqual([22, 22, 23])
        const minutes = await instants(texts.slice(0, 1), t => t.minute('Europe/Berlin'))
        expect(minutes).toEqual([53])
      })

      it('whole units between two instants are those that can be added', async () => {
        const ends = {
          a: [new Date('2024-03-31T12:00Z'), new Date('2024-02-29T00:00Z')],
          b: [new Date('2024-02-29T12:00Z'), new Date('2024-03-31T00:00Z')],
        }
        const table = await collect(
          columns(ends).derive(t => ({
            months: t.a.diff(t.b, 'month'),
            days: t.a.diff(t.b, 'day'),
            hours: t.a.diff(t.b, 'hour', { zone: 'Europe/Berlin' }),
            quarters: t.a.diff(new Date('2023-01-01T00:00Z'), '15m'),
          })),
        )
        expect(table.toRows().map(({ a: _a, b: _b, ...row }) => row)).toEqual([
          { months: 1, days: 31, hours: 744, quarters: 43_728 },
          { months: -1, days: -31, hours: -744, quarters: 40_704 },
        ])
      })

      it('an instant beyond its type is told with its row', async () => {
        const flow = columns({ at: [new Date(0), new Date(8.64e15)] }).derive(t => ({
          it: t.at.add('292277000 years'),
        }))
        expect(await refusal(() => collect(flow), 'MR_INTEGER_OVERFLOW')).toMatchObject({ details: { row: 1 } })
      })

      it('what is no zone, no duration, or none for the column, is refused at once', async () => {
        const t = schema({ at: timestamp('s'), d: date(), n: int32() })
        const derive = (of: (t: any) => any, code: string) =>
          refusal(() => rows([], t).derive((t: any) => ({ it: of(t) })), code)
        const invalid = async (of: (t: any) => any, text: string) =>
          expect((await derive(of, 'MR_INVALID_OPTION')).message).toContain(text)
        await invalid(t => t.at.hour('Europe/Atlantis'), 'there is no time zone "Europe/Atlantis"')
        await invalid(t => t.at.truncate('fortnight'), 'is no duration')
        await invalid(t => t.at.truncate('1 day 2h'), 'is no unit')
        await invalid(t => t.at.truncate('-1 day'), 'is no unit')
        await invalid(t => t.at.add('5ms'), "the column's unit, which is 's'")
        await invalid(t => t.d.add('1h'), 'a date is a whole day')
        await invalid(t => t.d.day('Europe/Berlin'), 'only timestamps take one')
        await derive(t => t.d.minute(), 'MR_TYPE_MISMATCH')
        await derive(t => t.at.diff(t.d, 'day'), 'MR_TYPE_MISMATCH')
        await derive(t => t.n.truncate('day'), 'MR_TYPE_MISMATCH')
      })

      it('durations are words, letters, or ISO 8601', async () => {
        const same = ['36h', '1 day 12 hours', 'P1DT12H', '1d 12h', '2160 min', '129600.0s', '-P-1D']
        const results = await Promise.all(
          same.map(by => instants(['2024-01-01T00:00Z'], t => t.add(by)).catch(error => error.code)),
        )
        expect(results.slice(0, -1).flat()).toEqual(Array(6).fill('2024-01-02T12:00:00.000Z'))
        expect(results.at(-1)).toBe('MR_INVALID_OPTION')
      })
    })
  })
}
