// Memory bandwidth by a SIMD sum of our own (sum.ts), on one thread and on several: what every time of ours is set against.

import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { compileAssembly } from './compile.js'

/** Bytes that each thread reads: far more than any cache holds. */
const BYTES_PER_THREAD = 256 * 2 ** 20

/**
 * @param {number} threads the most that will be asked for
 * @returns {Promise<{ measure: (threads: number) => Promise<number>, close: () => Promise<void> }>} `measure` resolves with bytes
 *   per second over that many threads at once
 */
export async function openFloor(threads) {
  const module = await compileAssembly(new URL('./sum.ts', import.meta.url))
  const workers = await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(new URL('./floor-worker.js', import.meta.url), {
        workerData: { module, byteLength: BYTES_PER_THREAD },
      })
      await once(worker, 'message')
      return worker
    }),
  )
  const measure = async count => {
    const used = workers.slice(0, count)
    const done = used.map(worker => once(worker, 'message'))
    const start = performance.now()
    for (const worker of used) worker.postMessage('sum')
    await Promise.all(done)
    return (count * BYTES_PER_THREAD) / ((performance.now() - start) / 1000)
  }
  // The first turns run before the compiler's best tier.
  for (let turn = 0; turn < 3; turn++) await measure(threads)
  return {
    measure,
    close: async () => {
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}
