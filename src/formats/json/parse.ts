/**
 * JSON of a sample as a tree that keeps numbers as they are written, and keeps what there is where the sample ends within it. Records of the whole
 * file are the kernels' (kernels/json.ts).
 */
import { decodeUtf8 } from '../../columnar/utf8.js'

export interface JsonNode {
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'bool' | 'null'
  /** Of a string what it says, of another scalar how it is written. */
  readonly text: string
  /** Of an object; in order, each as often as it comes. */
  readonly keys: string[]
  /** Of an object or an array. */
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

const NONE: never[] = []

/** The value in bytes `[from, to)`, any depth; what is behind it is not looked at. */
export function parseJson(bytes: Uint8Array, from: number, to: number): ParsedJson {
  const open: JsonNode[] = []
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
    open[open.length - 1]?.nodes.push(node)
  }

  for (;;) {
    at = skipSpace(bytes, at, to)
    if (at >= to) return cut()
    const character = bytes[at]
    const parent = open[open.length - 1] as JsonNode | undefined
    if (state === 'colon') {
      if (character !== COLON) return failed('a colon is missing behind a key')
      at++
      state = 'value'
      continue
    }
    if (state === 'comma' && character === COMMA) {
      at++
      state = parent?.kind === 'object' ? 'key' : 'value'
      continue
    }
    // What closes does so behind a value, or at once; not behind a comma or a colon.
    const isEmpty = state === 'key' ? parent?.keys.length === 0 : parent?.kind === 'array' && parent.nodes.length === 0
    const mayClose = state === 'comma' || isEmpty
    if (mayClose && parent !== undefined && character === (parent.kind === 'object' ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      at++
      parent.end = at
      open.pop()
      if (open.length === 0) return { root, end: at, fault: null, isCut: false }
      state = 'comma'
      continue
    }
    if (state === 'comma') return failed(`a comma or the end of the ${parent?.kind} is missing`)
    if (character === QUOTE) {
      const end = stringEnd(bytes, at, to)
      if (typeof end === 'object') return failed(end.message, end.byteOffset)
      if (end < 0) return cut()
      const text = stringText(bytes, at, end)
      if (state === 'key') {
        parent?.keys.push(text)
        state = 'colon'
      } else {
        add({ kind: 'string', text, keys: NONE, nodes: NONE, start: at, end })
        state = 'comma'
      }
      at = end
    } else if (state === 'key') {
      return failed('a key in quotes is missing')
    } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      const isObject = character === OPEN_OBJECT
      const node: JsonNode = { kind: isObject ? 'object' : 'array', text: '', keys: [], nodes: [], start: at, end: to }
      add(node)
      open.push(node)
      state = isObject ? 'key' : 'value'
      at++
    } else {
      const start = at
      while (at < to && isWordByte(bytes[at])) at++
      const text = decodeUtf8(bytes, start, at)
      const kind = kindOfWord(text)
      if (kind === null) return at === to && mayGrow(text) ? cut() : failed('this is no value of JSON', start)
      add({ kind, text, keys: NONE, nodes: NONE, start, end: at })
      state = 'comma'
    }
    if (open.length === 0) return { root, end: at, fault: null, isCut: false }
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
    const sequence = decodeUtf8(bytes, i, Math.min(i + 6, to))
    if (!/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(sequence)) {
      if (i + 6 > to && /^\\(?:u[\da-fA-F]{0,3})?$/.test(sequence)) return -1
      return { message: 'a string has an escape that JSON does not know', byteOffset: i }
    }
    i += sequence[1] === 'u' ? 5 : 1
  }
  return -1
}

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
