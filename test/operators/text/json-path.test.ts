// Values out of strings of JSON, held against JSON.parse and a walk.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type JsonPath, jsonAt, parseJsonPath } from '../../../src/operators/text/json-path.js'

const at = (text: string, path: string) => jsonAt(text, parseJsonPath(path, 'json'))
const write = (path: JsonPath) =>
  path.map(key => (typeof key === 'number' ? `[${key}]` : `[${JSON.stringify(key)}]`)).join('')

function walk(value: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>((found, key) => {
    if (typeof key === 'number') return Array.isArray(found) ? found.at(key) : undefined
    return typeof found === 'object' && found !== null && !Array.isArray(found) && Object.hasOwn(found, key)
      ? (found as Record<string, unknown>)[key]
      : undefined
  }, value)
}

it('what a path leads to is what is there, whatever spaces are between', () => {
  const keys = fc.oneof(
    fc.constantFrom('a', 'b', 'a b', '', '"', '\\', 'é😀', '__proto__'),
    fc.string({ maxLength: 3 }),
  )
  const json = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.string({ maxLength: 4 }),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 3 }),
    ),
  })).value
  const paths = fc.array(fc.oneof(keys, fc.integer({ min: -3, max: 3 })), { maxLength: 3 })
  fc.assert(
    fc.property(json, paths, fc.constantFrom(0, 2), (value, path, indent) => {
      const found = walk(JSON.parse(JSON.stringify(value)), path)
      const got = jsonAt(JSON.stringify(value, null, indent), parseJsonPath(write(path), 'json'))
      if (found === undefined || found === null) expect(got).toBe(null)
      else if (typeof found === 'string') expect(got).toBe(found)
      else expect(JSON.stringify(JSON.parse(got as string))).toBe(JSON.stringify(found))
    }),
    { numRuns: 500 },
  )
})

it('numbers keep all their digits, objects their text', () => {
  const text = '{"id": 12345678901234567890, "x": 1.10, "o": { "a" : [1, 2] }, "s": "\\u00e9\\n", "e": {}, "n": null}'
  expect(at(text, 'id')).toBe('12345678901234567890')
  expect(at(text, '$.x')).toBe('1.10')
  expect(at(text, 'o')).toBe('{ "a" : [1, 2] }')
  expect(at(text, 'o.a[-1]')).toBe('2')
  expect(at(text, "['s']")).toBe('é\n')
  expect(at(text, 'e')).toBe('{}')
  expect(at(text, 'e.x')).toBe(null)
  expect(at(text, 'n')).toBe(null)
  expect(at(text, '')).toBe(text)
  expect(at(text, '$')).toBe(text)
  expect(at('{"a":1,"a":2}', 'a')).toBe('2')
})

it('what is no JSON has nothing', () => {
  for (const text of ['', '{', '{"a":1,}', "{'a':1}", '[1,2', 'undefined', '{"a":1} x'])
    expect(at(text, 'a')).toBe(null)
})

it('what is no path is refused', () => {
  for (const path of ['a..b', '[', 'a[x]', 'a b', '[1.5]', '$a[', '["x]'])
    expect(() => parseJsonPath(path, 'json'), path).toThrow('MR_INVALID_OPTION')
})
