// Values out of strings of JSON by kernels: what jsonAt finds by JSON.parse and a walk, of texts that are JSON and of such that nearly are.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jsonValues } from '../../src/kernels/strings.js'
import { LaneDictionary } from '../../src/kernels/text.js'
import { jsonAt } from '../../src/operators/text/json-path.js'
import { bitmap, makeKernels } from './support.js'

const repair = (text: string | null): string | null => text && Buffer.from(text).toString()

const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'é😀', '') },
  fc.constantFrom('"', '\\', '\n', '\ud800', '\ufffd', 'a b'),
)
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(0, -1, 1.5, 1e300, -1e-300, 12345678901, true, false, null),
    fc.constantFrom('', 'x', 'é', '\u2028', 'a"b', 'line\n', '\ud800', '{}', 'null'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value
const nearly = fc.constantFrom(
  ...[
    '',
    ' ',
    '{',
    '[',
    '"',
    '"a',
    '"\\',
    '"\\u12',
    '"\\x"',
    '-',
    '01',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    'nul',
    'nulll',
    'tru',
    'True',
  ],
  ...[
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    "{'a':1}",
    '[1}',
    '{"a":1]',
    '1 2',
    '[1]]',
    '\ufeff1',
    '"\t"',
    '1,',
    'NaN',
  ],
  ...[
    '1E5',
    '-0',
    '-0.0e-0',
    '"\\ud83d\\ude00"',
    '{"a":1,"a":2}',
    '{"\\u0061":7}',
    '{"a":1,"\\u0061":7}',
    '[[[[1]]]]',
    ' [ 1 , { "a" : [ ] } ] ',
  ],
  `${'['.repeat(64)}1${']'.repeat(64)}`,
  `${'['.repeat(65)}1${']'.repeat(65)}`,
  `{"a":${'['.repeat(70)}${']'.repeat(70)}}`,
)
/** A character of a text left out, doubled or made another. */
const changed = fc
  .tuple(json, fc.nat(), fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '0', 'e', '-', ' ', '\n', '\u0001'))
  .map(([value, place, instead]) => {
    const text = JSON.stringify(value)
    const at = place % (text.length + 1)
    return text.slice(0, at) + instead + text.slice(at + (place % 2))
  })
const texts = fc.oneof(
  fc.tuple(json, fc.constantFrom(0, 1)).map(([value, indent]) => JSON.stringify(value, null, indent)),
  nearly,
  changed,
)
const paths = fc.array(fc.oneof(keys, fc.integer({ min: -3, max: 3 })), { maxLength: 3 })

it('finds what is there, and nothing in what is no JSON', { timeout: 60_000 }, async () => {
  const k = await makeKernels()
  let [found, asked] = [0, 0]
  fc.assert(
    fc.property(fc.array(fc.option(texts, { freq: 6 }), { maxLength: 40 }), paths, (given, path) => {
      const mark = k.memory.mark()
      const [input, into] = [new LaneDictionary(k), new LaneDictionary(k)]
      // Half a character is no string of a lane's: it has been repaired.
      const repaired = given.map(text => text && repair(text))
      const own = input.internStrings(repaired.map(text => text ?? ''))
      const codes = k.memory.scratch(4 * given.length + 16)
      k.memory.u32.set(own, codes >>> 2)
      const validity = given.includes(null)
        ? bitmap(
            k,
            given.map(text => text !== null),
          )
        : 0
      const items = { inputs: [{ dictionary: input, codes, step: 4 as const }], validity, count: given.length }
      const { values, known } = jsonValues(k, path, items, into, text => {
        asked++
        return jsonAt(text, path)
      })
      const results = given.map((_, i) =>
        k.memory.u8[known + i] === 1 ? into.get(k.memory.u32[(values >>> 2) + i] as number) : null,
      )
      const expected = repaired.map(text => (text === null ? null : repair(jsonAt(text, path))))
      expect(results).toEqual(expected)
      found += expected.filter(text => text !== null).length
      input.free()
      into.free()
      k.memory.reset(mark)
    }),
    { numRuns: 2000 },
  )
  expect(found).toBeGreaterThan(500)
  expect(asked).toBeGreaterThan(100)
})
