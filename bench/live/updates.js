// A group-by that tells its changes: what an update costs after so many before it. Batches of a thousand; the last row of each is of key 0, by which whoever reads knows how far it has got.

import { randomStream } from '../random.js'

const BATCH_ROWS = 1000

/** Batches of [from, to): key and amount. */
function updates(from, to, keys, seed) {
  const batches = []
  for (let at = from; at < to; at += BATCH_ROWS) {
    const random = randomStream(seed, at / BATCH_ROWS)
    const rows = Math.min(BATCH_ROWS, to - at)
    const batch = { key: new Int32Array(rows), amount: new Int32Array(rows) }
    for (let i = 0; i < rows; i++) {
      batch.key[i] = random() * keys
      batch.amount[i] = random() * 1000
    }
    batch.key[rows - 1] = 0
    batches.push(batch)
  }
  return batches
}

/**
 * @param {{ who: 'millrace' | 'db-ivm' | 'plain', keys: number, histories: number[], updates: number, seed: number }} options
 * @returns {Promise<{ history: number, usPerUpdate: number, updates: number }[]>}
 */
export async function measureUpdates({ who, keys, histories, updates: count, seed }, api) {
  const target = await targets[who](api)
  const measured = []
  let at = 0
  for (const history of histories) {
    while (at < history) {
      // Not all at once: they are some hundred megabytes.
      const to = Math.min(history, at + 1_000_000)
      await target.push(updates(at, to, keys, seed))
      at = to
    }
    const own = Math.min(count, history)
    const batches = updates(at, at + own, keys, seed)
    at += own
    await target.prepare?.(batches)
    globalThis.gc?.()
    const start = performance.now()
    await target.push(batches)
    measured.push({ history, updates: own, usPerUpdate: ((performance.now() - start) * 1000) / own })
  }
  await target.close()
  return measured
}

const targets = {
  async millrace(api) {
    const shape = api.schema({ key: api.int32(), amount: api.int32() })
    const engine = await api.createEngine({ lanes: 0 })
    const channel = api.channel(shape, { capacity: 65_536 })
    let told = 0
    let wanted = Infinity
    let reached = () => {}
    const job = channel.flow
      .groupBy('key')
      .aggregate(t => ({ n: api.count(), sum: api.sum(t.amount) }))
      .emit('change')
      .run({ engine })
    const reading = (async () => {
      for await (const batch of job) {
        const { key, n } = batch.toColumns()
        for (let at = key.indexOf(0); at >= 0; at = key.indexOf(0, at + 1)) {
          if ((batch.weights?.[at] ?? 1) > 0) told = Math.max(told, Number(n[at]))
        }
        if (told >= wanted) reached()
      }
    })()
    let pushed = 0
    return {
      async push(batches) {
        for (const { key } of batches) for (let i = 0; i < key.length; i++) if (key[i] === 0) pushed++
        wanted = pushed
        const all = new Promise((resolve, reject) => {
          reached = resolve
          reading.catch(reject)
        })
        for (const batch of batches) await channel.push(batch)
        await all
      },
      async close() {
        channel.close()
        await reading
        await engine.close()
      },
    }
  },

  async 'db-ivm'() {
    const { D2, MultiSet, groupBy, groupByOperators, output } = await import('@tanstack/db-ivm')
    const graph = new D2()
    const input = graph.newInput()
    let changes = 0
    input.pipe(
      groupBy(({ key }) => ({ key }), {
        n: groupByOperators.count(),
        sum: groupByOperators.sum(({ amount }) => amount),
      }),
      output(message => {
        changes += message.getInner().length
      }),
    )
    graph.finalize()
    return {
      async push(batches) {
        const before = changes
        for (const { key, amount } of batches) {
          input.sendData(new MultiSet(Array.from(key, (each, i) => [{ key: each, amount: amount[i] }, 1])))
          graph.run()
        }
        if (changes === before) throw new Error('nothing has changed')
      },
      async close() {},
    }
  },

  /** What one would write by hand: objects in a map, changes in an array. */
  async plain() {
    const groups = new Map()
    let changes = 0
    return {
      async push(batches) {
        for (const { key, amount } of batches) {
          const before = new Map()
          for (let i = 0; i < key.length; i++) {
            const group = groups.get(key[i])
            if (!before.has(key[i])) before.set(key[i], group === undefined ? null : { ...group })
            if (group === undefined) groups.set(key[i], { key: key[i], n: 1, sum: amount[i] })
            else {
              group.n++
              group.sum += amount[i]
            }
          }
          const told = []
          for (const row of before.values()) if (row !== null) told.push([row, -1])
          for (const each of before.keys()) told.push([{ ...groups.get(each) }, 1])
          changes += told.length
        }
        if (changes === 0) throw new Error('nothing has changed')
      },
      async close() {},
    }
  },
}
