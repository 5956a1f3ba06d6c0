// The model of JSON against the JSON that JavaScript has.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { damage, damaged, valueText } from '../kernels/json-texts.js'
import { illFormedAt, JsonFault, type JsonNode, readJson } from './json-text.js'

function plain({ kind, text, items, members, from, to }: JsonNode, source: string): unknown {
  switch (kind) {
    case 'null':
      return null
    case 'bool':
      return source[from] === 't'
    case 'number':
      return Number(source.slice(from, to))
    case 'string':
      return text
    case 'array':
      return items.map(item => plain(item, source))
    default:
      return Object.fromEntries(members.map(({ key, value }) => [key, plain(value, source)]))
  }
}

/** With halves of surrogate pairs replaced, as UTF-8 cannot hold them. */
const replaced = (value: unknown): unknown =>
  typeof value === 'string'
    ? value.replace(/\p{Surrogate}/gu, '\ufffd')
    : Array.isArray(value)
      ? value.map(replaced)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [replaced(key), replaced(inner)]))
        : value

function attempt<T>(read: () => T): { value: T } | 'refused' {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof JsonFault || error instanceof SyntaxError)) throw error
    return 'refused'
  }
}

test('accepts what JSON.parse accepts, with the same values, and refuses what it refuses', () => {
  fc.assert(
    fc.property(valueText, damage, (text, changes) => {
      const bytes = damaged(text, changes)
      const latin1 = Buffer.from(bytes).toString('latin1')
      const ours = attempt(() => {
        const { node, end } = readJson(latin1, 0, ' \t\r\n')
        if (end < latin1.length) throw new JsonFault(end)
        return plain(node, latin1)
      })
      const theirs = attempt(() => replaced(JSON.parse(Buffer.from(bytes).toString())))
      expect(ours).toEqual(theirs)
    }),
    { numRuns: 2000 },
  )
})

test('finds where bytes are first no UTF-8, as a decoder does', () => {
  const fatal = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0xf0, 0x90, 0xf4, 0x8f), fc.nat(255)),
        { maxLength: 12 },
      ),
      values => {
        const bytes = Uint8Array.from(values)
        const at = illFormedAt(Buffer.from(bytes).toString('latin1'))
        expect(() => fatal(bytes.subarray(0, at))).not.toThrow()
        if (at < bytes.length)
          for (let to = at + 1; to <= Math.min(bytes.length, at + 4); to++)
            expect(() => fatal(bytes.subarray(at, to))).toThrow()
      },
    ),
    { numRuns: 2000 },
  )
})
