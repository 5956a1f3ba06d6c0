import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatVectors } from '../../src/columnar/concat.js'
import { Dictionary } from '../../src/columnar/dictionary.js'
import { gatherVector } from '../../src/columnar/gather.js'
import { usedStrings } from '../../src/columnar/used-strings.js'
import { getBit, setBit } from '../../src/columnar/validity.js'
import { checkVector, makeVector, sliceVector, type Vector } from '../../src/columnar/vector.js'
import { nullable, utf8 } from '../../src/index.js'

type Text = string | null

const words = ['', 'a', 'ä', '😀', 'longer than most of them']
/** Few that come often, and ever new ones. */
const texts = fc.oneof(
  fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom<Text[]>(...words) }, fc.constant(null)), { maxLength: 30 }),
  fc.array(fc.string({ unit: 'grapheme', maxLength: 9 }), { maxLength: 30 }),
  fc.array(fc.constant(null), { maxLength: 3 }),
)

const validityOf = (values: readonly Text[]): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(values.length / 8))
  for (const [i, value] of values.entries()) if (value !== null) setBit(bits, i)
  return bits
}

/** @param padding bytes before the first, as a slice has them */
function plain(values: readonly Text[], padding: number): Vector {
  const encoded = values.map(value => new TextEncoder().encode(value ?? ''))
  const offsets = Int32Array.from({ length: values.length + 1 }, () => padding)
  for (const [i, { length }] of encoded.entries()) offsets[i + 1] = (offsets[i] as number) + length
  const data = new Uint8Array([...new Uint8Array(padding).fill(120), ...encoded.flatMap(bytes => [...bytes])])
  return makeVector(nullable(utf8()), values.length, data, { validity: validityOf(values), offsets })
}

/** Codes of a dictionary that has other entries too, and some twice. */
function coded(values: readonly Text[], dictionary: Dictionary): Vector {
  const codes = values.map(value => {
    if (value === null) return 0
    for (let code = 0; code < dictionary.length; code++)
      if (dictionary.get(code) === value && code % 3 !== 0) return code
    return dictionary.add(value)
  })
  return makeVector(nullable(utf8()), values.length, Int32Array.from(codes), {
    validity: validityOf(values),
    dictionary,
  })
}

function textsOf(vector: Vector): Text[] {
  checkVector(vector, 'it', vector.type, vector.length)
  return Array.from({ length: vector.length }, (_, i) => {
    if (vector.validity !== null && !getBit(vector.validity, i)) return null
    if (vector.dictionary !== null) return vector.dictionary.get(vector.data[i] as number)
    const [from, to] = [vector.offsets?.[i], vector.offsets?.[i + 1]]
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode((vector.data as Uint8Array).subarray(from, to))
  })
}

const part = fc.record({
  values: texts,
  form: fc.constantFrom('plain', 'plain', 'own', 'shared'),
  cut: fc.nat(4),
})
const parts = fc.array(part, { minLength: 1, maxLength: 6 })

describe('strings', () => {
  it('are put end to end, whatever they come as', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), (all, onlyPlain) => {
        const shared = new Dictionary()
        for (const word of ['unused', ...words, ...words]) shared.add(word)
        const vectors = all.map(({ values, form, cut }) => {
          const own = form === 'shared' ? shared : new Dictionary()
          const vector = onlyPlain || form === 'plain' ? plain(values, cut) : coded(values, own)
          return sliceVector(vector, Math.min(cut, values.length), values.length)
        })
        const expected = all.flatMap(({ values, cut }) => values.slice(cut))
        const joint = concatVectors(vectors)
        expect(textsOf(joint)).toEqual(expected)
        expect(textsOf(usedStrings(joint))).toEqual(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('are there once where few come often', () => {
    const vectors = ['a', 'b', 'a'].map(word => coded(new Array(40).fill(word), new Dictionary()))
    const joint = concatVectors(vectors)
    expect(joint.dictionary?.strings()).toEqual(['a', 'b'])
  })

  it('are gathered as often as asked', () => {
    fc.assert(
      fc.property(part, fc.array(fc.nat(99), { maxLength: 40 }), ({ values, form, cut }, picks) => {
        const vector = form === 'plain' ? plain(values, cut) : coded(values, new Dictionary())
        const rows = values.length === 0 ? [] : picks.map(pick => pick % values.length)
        expect(textsOf(gatherVector(vector, Uint32Array.from(rows)))).toEqual(rows.map(row => values[row]))
      }),
      { numRuns: 500 },
    )
  })
})
