/**
 * JSON by recursion over characters, as RFC 8259 has it: values with where they are in the text, or the first character that cannot be. Text is given a
 * character a byte (latin1), so that places are bytes; strings are decoded from these. Rows of records are json.ts's.
 */
export interface JsonNode {
  readonly kind: 'null' | 'bool' | 'number' | 'string' | 'array' | 'object'
  readonly from: number
  readonly to: number
  /** Of a string: with U+FFFD for what is ill-formed and for halves of surrogate pairs. */
  readonly text: string
  readonly items: readonly JsonNode[]
  readonly members: readonly { readonly key: string; readonly value: JsonNode }[]
}

export class JsonFault extends Error {
  readonly at: number
  constructor(at: number) {
    super(`no JSON at ${at}`)
    this.at = at
  }
}

const MOST_DEPTH = 1024

export interface JsonReader {
  readonly node: JsonNode
  /** Behind the value and the white space behind it. */
  readonly end: number
  /** Where escapes are that are half a pair. */
  readonly halves: readonly number[]
}

/** The value that begins behind white space at `at`. @throws JsonFault */
export function readJson(text: string, at: number, spaces: string): JsonReader {
  const halves: number[] = []
  const skip = () => {
    while (at < text.length && spaces.includes(text[at])) at++
  }
  const expect = (characters: string) => {
    if (at >= text.length || !characters.includes(text[at])) throw new JsonFault(at)
    return text[at++]
  }
  const digits = () => {
    expect('0123456789')
    while ('0123456789'.includes(text[at] ?? 'x')) at++
  }
  const hex = () => {
    let unit = ''
    while (unit.length < 4) unit += expect('0123456789abcdefABCDEF')
    return String.fromCharCode(Number.parseInt(unit, 16))
  }
  const string = (): string => {
    expect('"')
    let value = ''
    let run = ''
    const flush = () => {
      value += Buffer.from(run, 'latin1').toString('utf8')
      run = ''
    }
    const places: number[] = []
    for (;;) {
      if (at >= text.length || text[at] < ' ') throw new JsonFault(at)
      const character = text[at++]
      if (character === '"') break
      if (character !== '\\') {
        run += character
        continue
      }
      flush()
      const kind = expect('"\\/bfnrtu')
      if (kind === 'u') {
        const from = at - 2
        const unit = hex()
        if (unit >= '\ud800' && unit < '\ue000') places[value.length] = from
        value += unit
      } else value += { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[kind] ?? kind
    }
    flush()
    for (const [i, place] of places.entries()) {
      if (place === undefined) continue
      const isPair = value.codePointAt(i)! > 0xffff || (i > 0 && value.codePointAt(i - 1)! > 0xffff)
      if (!isPair) halves.push(place)
    }
    return value.replace(/\p{Surrogate}/gu, '\ufffd')
  }
  const value = (depth: number): JsonNode => {
    skip()
    const from = at
    const node = (kind: JsonNode['kind'], more: Partial<JsonNode> = {}): JsonNode => ({
      kind,
      from,
      to: at,
      text: '',
      items: [],
      members: [],
      ...more,
    })
    const first = text[at] ?? ''
    if (first === '"') {
      const decoded = string()
      return node('string', { text: decoded })
    }
    if (first !== '' && '-0123456789'.includes(first)) {
      if (first === '-') at++
      if (text[at] === '0') at++
      else digits()
      if (text[at] === '.') {
        at++
        digits()
      }
      if (text[at] === 'e' || text[at] === 'E') {
        at++
        if (text[at] === '+' || text[at] === '-') at++
        digits()
      }
      return node('number')
    }
    for (const word of ['true', 'false', 'null']) {
      if (first !== word[0]) continue
      for (const letter of word) expect(letter)
      return node(word === 'null' ? 'null' : 'bool')
    }
    if (first !== '{' && first !== '[') throw new JsonFault(at)
    if (depth > MOST_DEPTH) throw new JsonFault(at)
    at++
    skip()
    if (first === '[') {
      const items: JsonNode[] = []
      if (text[at] === ']') at++
      else {
        do {
          items.push(value(depth + 1))
          skip()
        } while (expect(',]') === ',')
      }
      return node('array', { items })
    }
    const members: { key: string; value: JsonNode }[] = []
    if (text[at] === '}') at++
    else {
      do {
        skip()
        const key = string()
        skip()
        expect(':')
        members.push({ key, value: value(depth + 1) })
        skip()
      } while (expect(',}') === ',')
    }
    return node('object', { members })
  }
  const node = value(1)
  skip()
  return { node, end: at, halves: halves.sort((a, b) => a - b) }
}

/** Where bytes, a character each, are first no UTF-8, or their length. */
export function illFormedAt(bytes: string): number {
  const wellFormed =
    /^(?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*/
  return wellFormed.exec(bytes)![0].length
}
