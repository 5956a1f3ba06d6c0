// From `push` to whoever has subscribed: rows carry the moment they were pushed at, a hundred a millisecond, then ten times as many for a while.

/** Beyond it latencies are counted together. */
const MOST_US = 10_000_000

/**
 * @param {any} api
 * @param {{ lanes: number, shape: 'rows' | 'groups', rate: number, seconds: number, burstSeconds: number }} options
 * @returns {Promise<{ p50: number, p99: number, p999: number, rows: number, burst: { worstMs: number, steadyAfterMs: number, heapMegabytes: number } | null }>} milliseconds
 */
export async function measureLatency(api, { lanes, shape, rate, seconds, burstSeconds }) {
  const engine = await api.createEngine({ lanes })
  const channel = api.channel(api.schema({ key: api.int32(), at: api.float64() }), { capacity: 10_000_000 })
  const flow =
    shape === 'rows'
      ? channel.flow.filter(t => t.key.gte(0)).derive(t => ({ twice: t.key.mul(2) }))
      : channel.flow
          .groupBy('key')
          .aggregate(t => ({ n: api.count(), at: api.max(t.at) }))
          .emit('change')
  const counts = new Uint32Array(MOST_US / 10 + 1)
  let isCounted = false
  let steadyAt = 0
  let worst = 0
  let rows = 0
  const job = flow.subscribe(
    batch => {
      const now = performance.now()
      const { at } = batch.toColumns()
      let most = 0
      for (let i = 0; i < batch.rowCount; i++) {
        if (batch.weights !== null && batch.weights[i] < 0) continue
        const latency = now - at[i]
        if (latency > most) most = latency
        if (!isCounted) continue
        rows++
        counts[Math.min(counts.length - 1, Math.floor(latency * 100))]++
      }
      if (most > worst) worst = most
      if (most > 5) steadyAt = now
    },
    { engine },
  )
  // While everything is compiled, nothing is counted.
  await feed(1000, 1)
  isCounted = true
  await feed(seconds * 1000, 1)
  isCounted = false
  let burst = null
  if (burstSeconds > 0) {
    worst = 0
    await feed(burstSeconds * 1000, 10)
    const over = performance.now()
    await feed(2000, 1)
    burst = {
      worstMs: worst,
      steadyAfterMs: Math.max(0, steadyAt - over),
      heapMegabytes: process.memoryUsage().rss / 1e6,
    }
  }
  channel.close()
  await job.finished
  await engine.close()
  const quantile = share => {
    let left = share * rows
    for (const [i, count] of counts.entries()) {
      left -= count
      if (left <= 0) return (i + 1) / 100
    }
    return MOST_US / 1000
  }
  return { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999), rows, burst }

  /** What is due is pushed whenever this has a turn: timers are no finer than a millisecond. */
  async function feed(ms, factor) {
    const start = performance.now()
    let pushed = 0
    for (let now = start; now - start < ms; now = performance.now()) {
      const due = Math.floor(((now - start) * rate * factor) / 1000)
      if (due > pushed) {
        const count = due - pushed
        const key = Int32Array.from({ length: count }, (_, i) => (pushed + i) % 1000)
        channel.push({ key, at: new Float64Array(count).fill(performance.now()) })
        pushed = due
      }
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
}
