// Doubles as text: as JavaScript writes them, whether a kernel has written them or not.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { float64 } from '../../src/columnar/type.js'
import { createTextWriter } from '../../src/kernels/cast-text.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { anyDouble, laneVector, makeKernels, valuesOf } from './support.js'

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), fc.integer({ min: -2, max: 12 }), fc.nat(16))
  .map(([digits, places, fewer]) => Number(`${digits / 10n ** BigInt(fewer)}e${-places}`))
const neighbour = decimal.map(x => x * (1 + 2 ** -52))
const edge = fc.constantFrom(
  1e-6,
  9.99999e-7,
  0.000001234,
  1e15,
  999999999999999,
  1e15 - 0.5,
  0.1,
  0.30000000000000004,
  123456.789,
  -0.5,
  5e-324,
  1e21,
  -0,
)

it('writes doubles as JavaScript does', async () => {
  const k = await makeKernels()
  const [dictionary, writer] = [new LaneDictionary(k), createTextWriter(k, float64())]
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.oneof(decimal, neighbour, edge, anyDouble), { freq: 9 }), { maxLength: 60 }),
      values => {
        const mark = k.memory.mark()
        const found = valuesOf(k, {
          ...writer.convert(laneVector(k, float64(), values), dictionary),
          type: { kind: 'utf8', nullable: true },
        })
        expect(found).toEqual(values.map(x => (x === null ? null : String(x))))
        k.memory.reset(mark)
      },
    ),
    { numRuns: 3000 },
  )
  dictionary.free()
})
