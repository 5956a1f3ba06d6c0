/** JSON parsed as a tree, against `JSON.parse`: the same values, and the same texts refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JsonNode, parseJson, skipSpace } from '../../../src/formats/json/parse.js'

/** Lone surrogates have no bytes. */
const wellFormed = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text))
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** What is in an array is told by where it is. */
function treeValue(bytes: Uint8Array, node: JsonNode, isItem = false): unknown {
  const { kind, keys, nodes, start, end } = node
  if (isItem && (kind === 'object' || kind === 'array')) {
    expect([keys, nodes]).toEqual([[], []])
    return JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)))
  }
  if (kind === 'object') return Object.fromEntries(keys.map((key, i) => [key, treeValue(bytes, nodes[i])]))
  if (kind === 'array') return nodes.map(item => treeValue(bytes, item, true))
  return node.kind === 'string' ? node.text : JSON.parse(node.kind === 'null' ? 'null' : node.text)
}

/** As `JSON.parse`, or undefined. */
function parsed(bytes: Uint8Array): unknown {
  const { root, end, fault, isCut } = parseJson(bytes, 0, bytes.length)
  return fault !== null || isCut || skipSpace(bytes, end, bytes.length) < bytes.length
    ? undefined
    : treeValue(bytes, root as JsonNode)
}

function expected(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const json = fc.json({ stringUnit: 'binary', noUnicodeString: false } as object)
const spaced = json.chain(text =>
  fc.constantFrom('', ' ', '\n\t', '\r\n').map(space => text.replace(/[,:[\]{}]/g, `${space}$&${space}`)),
)

test('what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.oneof(json, spaced), text => {
      expect(parsed(bytesOf(text))).toEqual(expected(wellFormed(text)))
    }),
    { numRuns: 500 },
  )
})

test('what JSON.parse refuses is refused, with the offset of the fault, or is the beginning of something', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '\\',
    '\\u00',
    '0',
    '1',
    '-',
    '.',
    'e',
    'true',
    'nul',
    'null',
    ' ',
    '\n',
  )
  const mutated = fc
    .tuple(json, fc.nat(1000), piece, fc.nat(3))
    .map(
      ([text, at, insert, drop]) =>
        text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + drop),
    )
  const texts = fc.oneof(
    mutated,
    fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(texts, raw => {
      const text = wellFormed(raw)
      const bytes = bytesOf(text)
      expect(parsed(bytes)).toEqual(expected(text))
      const { fault, end } = parseJson(bytes, 0, bytes.length)
      expect(end).toBeLessThanOrEqual(bytes.length)
      if (fault !== null) expect(fault.byteOffset).toBeLessThan(bytes.length)
    }),
    { numRuns: 2000 },
  )
})

test('a value that is cut is cut wherever that is, and keeps what there is of it', () => {
  fc.assert(
    fc.property(
      json.filter(text => /^[[{"]/.test(text)),
      text => {
        const bytes = bytesOf(text)
        for (let end = 0; end < bytes.length; end++) {
          const { fault, isCut } = parseJson(bytes, 0, end)
          expect([end, fault, isCut]).toEqual([end, null, true])
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('escapes and numbers stay what they are', () => {
  const node = parseJson(bytesOf('["\\ud83d\\ude00\\n\\/", 1.0, -0, 123456789012345678901234567890, 1e400]'), 0, 80)
    .root as JsonNode
  expect(node.nodes.map(({ text }) => text)).toEqual(['😀\n/', '1.0', '-0', '123456789012345678901234567890', '1e400'])
})

test('no depth is too deep', () => {
  const text = '['.repeat(100_000)
  expect(parseJson(bytesOf(text), 0, text.length).isCut).toBe(true)
  expect(parseJson(bytesOf(text + ']'.repeat(100_000)), 0, 2 * text.length).fault).toBe(null)
})

test('of a value of millions of brackets, braces, items or escapes there are few nodes', () => {
  const nodesIn = ({ nodes }: JsonNode): number => nodes.reduce((sum, node) => sum + nodesIn(node), 1)
  const ways: [text: string, count: number, isCut: boolean][] = [
    ['['.repeat(2_000_000), 2, true],
    ['[]'.repeat(2_000_000).replaceAll('][', '],['), 2 ** 17 + 1, false],
    ['{"":'.repeat(1_000_000), 33, true],
    [`[${'1,'.repeat(2_000_000)}"a",1]`, 2 ** 17 + 3, false],
    [`["${'\\n\\u00e9'.repeat(1_000_000)}"]`, 2, false],
  ]
  for (const [inner, count, isCut] of ways) {
    const text = inner.startsWith('[]') ? `[${inner}]` : inner
    const { root, fault, ...rest } = parseJson(bytesOf(text), 0, text.length)
    expect([fault, rest.isCut]).toEqual([null, isCut])
    const found = nodesIn(root as JsonNode)
    expect([text.slice(0, 8), found]).toEqual([text.slice(0, 8), count])
  }
})
