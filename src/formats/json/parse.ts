/**
 * JSON of a sample as a tree that keeps numbers as they are written, and keeps what there is where the sample ends within it; not what no column is
 * made of, since a record may be as long as the sample, and a node takes some hundred bytes. Records of the whole file are the kernels' (kernels/json.ts).
 */
import { decodeUtf8 } from '../../columnar/utf8.js'

export interface JsonNode {
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'bool' | 'null'
  /** Of a string what it says, of another scalar how it is written. */
  readonly text: string
  /** Of an object; in order, each as often as it comes. */
  readonly keys: string[]
  /** Of an object or an array; of one that is in an array, or in more than `MOST_DEPTH` others, there are none, and no keys. */
  readonly nodes: JsonNode[]
  readonly start: number
  /** Behind it; where it is cut, the end of the bytes. */
  end: number
}

export interface JsonFault {
  readonly message: string
  readonly byteOffset: number
}

export interface ParsedJson {
  /** What there is of the value; null where it did not begin. */
  readonly root: JsonNode | null
  /** Behind the value, or where parsing stopped. */
  readonly end: number
  readonly fault: JsonFault | null
  /** The bytes end before the value does. */
  readonly isCut: boolean
}

type State = 'value' | 'key' | 'colon' | 'comma'

/** Objects in more objects than this stay JSON text. */
export const MOST_DEPTH = 32
/** Items of all arrays together, as many as are in 256 KiB: of those behind, the ones are kept that are of another kind than the one before. */
const MOST_ITEMS = 2 ** 17

const NONE: never[] = []

/** The value in bytes `[from, to)`, any depth; what is behind it is not looked at. */
export function parseJson(bytes: Uint8Array, from: number, to: number): ParsedJson {
  /** What is open of what is kept. */
  const open: JsonNode[] = []
  /** Of all that is open, whether it is an object. */
  let objects = new Uint8Array(64)
  let depth = 0
  /** The depth of the last of `open` where that is passed over; 0: it is kept. */
  let passed = 0
  /** Nothing is in what was opened last. */
  let isEmpty = false
  let items = 0
  let root: JsonNode | null = null
  let state: State = 'value'
  let at = from

  const failed = (message: string, byteOffset = at): ParsedJson => ({
    root,
    end: byteOffset,
    fault: { message, byteOffset },
    isCut: false,
  })
  const cut = (): ParsedJson => ({ root, end: to, fault: null, isCut: true })
  const add = (node: JsonNode): void => {
    root ??= node
    const parent = open[open.length - 1] as JsonNode | undefined
    if (parent?.kind === 'array' && ++items > MOST_ITEMS && parent.nodes.at(-1)?.kind === node.kind) return
    parent?.nodes.push(node)
  }
  const begin = (kind: 'object' | 'array'): void => {
    if (passed === 0) {
      const isPassed = depth >= MOST_DEPTH || open[open.length - 1]?.kind === 'array'
      const node: JsonNode = { kind, text: '', keys: [], nodes: [], start: at, end: to }
      add(node)
      open.push(node)
      if (isPassed) passed = depth + 1
    }
    if (depth === objects.length) {
      const larger = new Uint8Array(2 * depth)
      larger.set(objects)
      objects = larger
    }
    objects[depth++] = Number(kind === 'object')
  }
  const end = (): void => {
    if (passed === 0 || passed === depth) {
      ;(open.pop() as JsonNode).end = at
      passed = 0
    }
    depth--
  }

  for (;;) {
    at = skipSpace(bytes, at, to)
    if (at >= to) return cut()
    const character = bytes[at]
    const isInObject = depth > 0 && objects[depth - 1] === 1
    if (state === 'colon') {
      if (character !== COLON) return failed('a colon is missing behind a key')
      at++
      state = 'value'
      continue
    }
    if (state === 'comma' && character === COMMA) {
      at++
      state = isInObject ? 'key' : 'value'
      continue
    }
    // What closes does so behind a value, or at once; not behind a comma or a colon.
    const mayClose = depth > 0 && (state === 'comma' || isEmpty)
    isEmpty = false
    if (mayClose && character === (isInObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      at++
      end()
      if (depth === 0) return { root, end: at, fault: null, isCut: false }
      state = 'comma'
      continue
    }
    if (state === 'comma') return failed(`a comma or the end of the ${isInObject ? 'object' : 'array'} is missing`)
    if (character === QUOTE) {
      const end = stringEnd(bytes, at, to)
      if (typeof end === 'object') return failed(end.message, end.byteOffset)
      if (end < 0) return cut()
      if (passed === 0) {
        const text = stringText(bytes, at, end)
        if (state === 'key') open[open.length - 1].keys.push(text)
        else add({ kind: 'string', text, keys: NONE, nodes: NONE, start: at, end })
      }
      state = state === 'key' ? 'colon' : 'comma'
      at = end
    } else if (state === 'key') {
      return failed('a key in quotes is missing')
    } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      const isObject = character === OPEN_OBJECT
      begin(isObject ? 'object' : 'array')
      isEmpty = true
      state = isObject ? 'key' : 'value'
      at++
    } else {
      const start = at
      while (at < to && isWordByte(bytes[at])) at++
      const text = decodeUtf8(bytes, start, at)
      const kind = kindOfWord(text)
      if (kind === null) return at === to && mayGrow(text) ? cut() : failed('this is no value of JSON', start)
      if (passed === 0) add({ kind, text, keys: NONE, nodes: NONE, start, end: at })
      state = 'comma'
    }
    if (depth === 0) return { root, end: at, fault: null, isCut: false }
  }
}

/** Behind spaces, tabs and line breaks. */
export function skipSpace(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9)) at++
  return at
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const SMALL_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Behind the closing quote of the string that begins at `at`; -1 where there is none yet. */
function stringEnd(bytes: Uint8Array, at: number, to: number): number | JsonFault {
  for (let i = at + 1; i < to; i++) {
    const character = bytes[i]
    if (character === QUOTE) return i + 1
    if (character < 32)
      return { message: 'a string has a line break or another control character in it', byteOffset: i }
    if (character !== BACKSLASH) continue
    const digits = bytes[i + 1] === SMALL_U ? 4 : 0
    for (let k = 1; k <= 1 + digits; k++) {
      if (i + k >= to) return -1
      if (k === 1 ? !ESCAPED.has(bytes[i + k]) : !isHex(bytes[i + k]))
        return { message: 'a string has an escape that JSON does not know', byteOffset: i }
    }
    i += 1 + digits
  }
  return -1
}

/** What may stand behind a backslash. */
const ESCAPED: ReadonlySet<number> = new Set(Array.from('"\\/bfnrtu', character => character.charCodeAt(0)))

const isHex = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102)

function stringText(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeUtf8(bytes, start + 1, end - 1)
  return text.includes('\\') ? JSON.parse(`"${text}"`) : text
}

/** What may be in a number, in `true`, `false` and `null`, and in what is wrongly in their place. */
const isWordByte = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) ||
  (byte >= 97 && byte <= 122) ||
  (byte >= 65 && byte <= 90) ||
  byte === 43 ||
  byte === 45 ||
  byte === 46

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const NUMBER_BEGUN = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d*)?)?$/

function kindOfWord(text: string): 'number' | 'bool' | 'null' | null {
  if (NUMBER.test(text)) return 'number'
  if (text === 'true' || text === 'false') return 'bool'
  return text === 'null' ? 'null' : null
}

const mayGrow = (text: string): boolean =>
  text !== '' && (NUMBER_BEGUN.test(text) || ['true', 'false', 'null'].some(word => word.startsWith(text)))
