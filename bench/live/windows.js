// Sums by tumbling window and key, of events that come in disorder: who makes them, and how. Each is given prepared batches and tells every result as its window closes.

import { createTally, DELAY_MS, KEYS, objectsOf, SIZE_MS } from './data.js'

/**
 * @typedef {object} Contender
 * @property {string} label
 * @property {number} most events that it is given: those that keep objects or histories take fewer
 * @property {(batches: ReturnType<typeof import('./data.js').windowEvents>, millrace: any, lanes: number) => Promise<() => Promise<{ results: number, sum: number, mark: number }>>} prepare
 *   resolves with what is timed
 */

/** @type {Record<string, Contender>} */
export const contenders = {
  'millrace-columns': {
    label: 'Millrace, batches of columns',
    most: Infinity,
    prepare: async (batches, api, lanes) => {
      const engine = await api.createEngine({ lanes })
      const shape = api.schema({ time: api.timestamp('ms'), key: api.int32(), amount: api.int32() })
      const prepared = []
      for (const { time, key, amount } of batches) {
        const table = await api.columns({ time: BigInt64Array.from(time, BigInt), key, amount }, shape).collect()
        prepared.push(...table.batches)
      }
      return () => ours(api, shape, prepared, engine)
    },
  },
  'millrace-rows': {
    label: 'Millrace, row objects of an iterable',
    most: 2e6,
    prepare: async (batches, api, lanes) => {
      const engine = await api.createEngine({ lanes })
      const shape = api.schema({ time: api.timestamp('ms'), key: api.int32(), amount: api.int32() })
      const prepared = objectsOf(batches)
      return () => ours(api, shape, prepared, engine)
    },
  },
  'millrace-pushed': {
    label: 'Millrace, row objects pushed into a channel',
    most: 2e6,
    prepare: async (batches, api, lanes) => {
      const engine = await api.createEngine({ lanes })
      const shape = api.schema({ time: api.timestamp('ms'), key: api.int32(), amount: api.int32() })
      const prepared = objectsOf(batches)
      return async () => {
        const channel = api.channel(shape)
        const feed = async () => {
          for (const rows of prepared) await channel.push(rows)
          channel.close()
        }
        const [tally] = await Promise.all([tallyOf(api, channel.flow, engine), feed()])
        return tally
      }
    },
  },
  'plain-columns': {
    label: 'plain JavaScript, columns',
    most: Infinity,
    prepare: async batches => async () => {
      const { tally, add } = createTally()
      const windows = createWindows(add)
      for (const { time, key, amount } of batches) {
        for (let i = 0; i < time.length; i++) windows.take(time[i], key[i], amount[i])
        windows.close()
      }
      windows.end()
      return tally
    },
  },
  'plain-objects': {
    label: 'plain JavaScript, objects',
    most: 2e6,
    prepare: async batches => {
      const prepared = objectsOf(batches)
      return async () => {
        const { tally, add } = createTally()
        const windows = createWindows(add)
        for (const rows of prepared) {
          for (const { time, key, amount } of rows) {
            windows.take(time, key, amount)
            windows.close()
          }
        }
        windows.end()
        return tally
      }
    },
  },
  'rxjs-windows': {
    label: 'rxjs 7, one operator with windows by hand',
    most: 2e6,
    prepare: async batches => {
      const { Observable, Subject } = await import('rxjs')
      const prepared = objectsOf(batches)
      const sums = source =>
        new Observable(subscriber => {
          const windows = createWindows((start, key, sum) => subscriber.next({ start, key, sum }))
          return source.subscribe({
            next({ time, key, amount }) {
              windows.take(time, key, amount)
              windows.close()
            },
            error: error => subscriber.error(error),
            complete() {
              windows.end()
              subscriber.complete()
            },
          })
        })
      return async () => {
        const { tally, add } = createTally()
        const events = new Subject()
        events.pipe(sums).subscribe(({ start, key, sum }) => add(start, key, sum))
        for (const rows of prepared) for (const event of rows) events.next(event)
        events.complete()
        return tally
      }
    },
  },
  rxjs: {
    label: 'rxjs 7, idiomatic',
    most: 1e6,
    prepare: async batches => {
      const { Subject, filter, groupBy, map, mergeMap, reduce, take } = await import('rxjs')
      const prepared = objectsOf(batches)
      return async () => {
        const { tally, add } = createTally()
        const events = new Subject()
        const watermarks = new Subject()
        events
          .pipe(
            groupBy(event => event.time - (event.time % SIZE_MS), {
              duration: window =>
                watermarks.pipe(
                  filter(mark => mark >= window.key + SIZE_MS),
                  take(1),
                ),
            }),
            mergeMap(window =>
              window.pipe(
                groupBy(event => event.key),
                mergeMap(group =>
                  group.pipe(
                    reduce((sum, { amount }) => sum + amount, 0),
                    map(sum => ({ start: window.key, key: group.key, sum })),
                  ),
                ),
              ),
            ),
          )
          .subscribe(({ start, key, sum }) => add(start, key, sum))
        let latest = 0
        for (const rows of prepared) {
          for (const event of rows) {
            events.next(event)
            if (event.time <= latest) continue
            latest = event.time
            watermarks.next(latest - DELAY_MS)
          }
        }
        events.complete()
        return tally
      }
    },
  },
  'db-ivm': {
    label: '@tanstack/db-ivm, windows as keys, changes',
    most: 2e5,
    prepare: async batches => {
      const { D2, MultiSet, groupBy, groupByOperators, output } = await import('@tanstack/db-ivm')
      const prepared = objectsOf(batches)
      return async () => {
        const latest = new Map()
        const graph = new D2()
        const input = graph.newInput()
        input.pipe(
          groupBy(({ time, key }) => ({ start: time - (time % SIZE_MS), key }), {
            sum: groupByOperators.sum(({ amount }) => amount),
          }),
          output(changes => {
            for (const [[name, row], weight] of changes.getInner()) if (weight > 0) latest.set(name, row)
          }),
        )
        graph.finalize()
        for (const rows of prepared) {
          input.sendData(new MultiSet(rows.map(row => [row, 1])))
          graph.run()
        }
        const { tally, add } = createTally()
        for (const { start, key, sum } of latest.values()) add(start, key, sum)
        return tally
      }
    },
  },
}

const ours = (api, shape, prepared, engine) =>
  tallyOf(
    api,
    api.stream(
      (async function* () {
        yield* prepared
      })(),
      { schema: shape },
    ),
    engine,
  )

async function tallyOf(api, flow, engine) {
  const { tally, add } = createTally()
  const job = flow
    .watermark('time', { delay: `${DELAY_MS}ms` })
    .window(api.tumbling('1s'))
    .groupBy('key')
    .aggregate(t => ({ sum: api.sum(t.amount) }))
    .run({ engine })
  for await (const batch of job) {
    const starts = batch.column('windowStart').toBigInt64Array()
    const keys = batch.column('key').toArray()
    const sums = batch.column('sum').toArray()
    for (let i = 0; i < batch.rowCount; i++) add(Number(starts[i]), keys[i], sums[i])
  }
  if (job.metrics().lateRows !== 0) throw new Error(`${job.metrics().lateRows} rows are late`)
  return tally
}

/** Open windows, of an array of sums each: what one would write by hand. */
function createWindows(add) {
  const open = new Map()
  let latest = 0
  let closed = 0
  let last = -1
  let sums = null
  const give = (start, { totals, seen }) => {
    for (let key = 0; key < KEYS; key++) if (seen[key] === 1) add(start, key, totals[key])
  }
  return {
    take(time, key, amount) {
      if (time > latest) latest = time
      const start = time - (time % SIZE_MS)
      if (start !== last) {
        if (start + SIZE_MS <= latest - DELAY_MS) throw new Error('a row is late')
        last = start
        sums = open.get(start)
        if (sums === undefined) {
          sums = { totals: new Float64Array(KEYS), seen: new Uint8Array(KEYS) }
          open.set(start, sums)
        }
      }
      sums.totals[key] += amount
      sums.seen[key] = 1
    },
    close() {
      const mark = latest - DELAY_MS
      if (mark - closed < 1) return
      closed = mark
      for (const [start, sums] of open) {
        if (start + SIZE_MS > mark) continue
        give(start, sums)
        open.delete(start)
        last = -1
      }
    },
    end() {
      for (const [start, sums] of open) give(start, sums)
    },
  }
}
