/** A user's own kernel and private answers where they run: modules sent to lanes, and noise from the secure generator. What they compute is test/api/user-kernel.test.ts and privacy.test.ts. */
import { describe, expect, it } from 'vitest'
import { columns, count, defineKernel, float64, minGroupSize, privacyBudget, publicGroups } from '../../src/index.js'
import { onLanes, refusal } from './env.js'

/**
 * twice(rows, x, xValid, out, outValid), which traps at 13:
 *
 *     for (; rows > 0; rows--, x += 8, out += 8) {
 *       if (load<f64>(x) == 13) unreachable()
 *       store<f64>(out, load<f64>(x) + load<f64>(x))
 *     }
 */
const TWICE =
  'AGFzbQEAAAABCQFgBX9/f39/AAMCAQAFAwEAAQcSAgZtZW1vcnkCAAV0d2ljZQAACkoBSAACQANAIABFDQEgASsDAEQAAAAAAAAqQGEEQAALIAMgASsDACABKwMAoDkDACABQQhqIQEgA0EIaiEDIABBAWshAAwACwALCw=='
const bytes = () => Uint8Array.from(atob(TWICE), c => c.charCodeAt(0))

export function ownKernelsSuite(lanesList: readonly number[]): void {
  onLanes(lanesList, engine => {
    const o = () => ({ engine: engine() })

    describe('a kernel of the user', () => {
      it('is called by every lane, whichever way its module came', async () => {
        const flow = columns({ x: Float64Array.from({ length: 150_000 }, (_, i) => i / 4 + 14) })
        const response = new Response(bytes(), { headers: { 'content-type': 'application/wasm' } })
        for (const wasm of [bytes(), bytes().buffer, response, await WebAssembly.compile(bytes())]) {
          const twice = await defineKernel({ wasm, export: 'twice', inputs: [float64()], output: float64() })
          const table = await flow.derive(t => ({ y: twice(t.x) })).collect(o())
          const y = table.column('y').toArray()
          expect(y.length).toBe(150_000)
          for (let i = 0; i < y.length; i += 999) expect(y[i]).toBe(i / 2 + 28)
        }
      })

      it('traps by itself: the job fails of it, and the lanes go on', async () => {
        const twice = await defineKernel({ wasm: bytes(), export: 'twice', inputs: [float64()], output: float64() })
        const flow = columns({ x: Float64Array.from({ length: 150_000 }, (_, i) => i - 100_000) })
        const error = await refusal(() => flow.derive(t => ({ y: twice(t.x) })).collect(o()), 'MR_USER_CODE_FAILED')
        expect(error.details.row).toBe(65_536)
        const kept = flow.filter(t => t.x.lt(13)).filter(t => twice(t.x).gte(20))
        expect((await kept.collect(o())).column('x').toArray()).toEqual(Float64Array.of(10, 11, 12))
      })
    })

    it('a private answer has noise of the secure generator, another each time', async () => {
      const { dpCount } = privacyBudget({ epsilon: 10 })
      const flow = columns({ k: Int32Array.from({ length: 5000 }, (_, i) => i % 50) })
      const answer = flow
        .groupBy('k')
        .aggregate(
          () => ({ n: dpCount({ epsilon: 0.5 }) }),
          publicGroups(columns({ k: Array.from({ length: 50 }, (_, i) => i) })),
        )
      const [a, b] = [await answer.collect(o()), await answer.collect(o())].map(table => [
        ...table.column('n').toArray(),
      ])
      expect(a).not.toEqual(b)
      // Each is beyond 100 once in 10^22 times.
      for (const n of [...a, ...b]) expect(Math.abs((n as number) - 100)).toBeLessThan(100)
      const large = flow.filter(t => t.k.lt(5).or(t.k.eq(7))).limit(501)
      const sizes = await large
        .groupBy('k')
        .aggregate(() => ({ n: count() }), minGroupSize(84))
        .collect(o())
      expect(sizes.toRows()).toEqual([0, 1, 2].map(k => ({ k, n: 84 })))
    })
  })
}
