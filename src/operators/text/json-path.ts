/**
 * One value out of a string of JSON, by a path. What is found keeps the text that it has: numbers of any length, spaces within objects, all as written.
 * Only strings are decoded.
 */
import { MillraceError, quote } from '../../errors.js'

/** Names of members and places of elements; a negative place counts from the end. */
export type JsonPath = readonly (string | number)[]

/**
 * `a.b[0].c`, with or without `$` or `$.` before it; a name of other characters than letters, digits, `_`, `$` and `-` is written `["so"]`.
 * @throws MillraceError `MR_INVALID_OPTION`
 */
export function parseJsonPath(text: string, operator: string): JsonPath {
  const path: (string | number)[] = []
  const first = text.replace(/^\$(?=\.|\[|$)/, '')
  const rest = first === text && text !== '' && !text.startsWith('[') ? `.${text}` : first
  const parts = /\.([\p{L}\p{N}_$-]+)|\[(-?\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['([^'\\]*)'\]/uy
  while (parts.lastIndex < rest.length) {
    const match = parts.exec(rest)
    const [, name, place, quoted, single] = match ?? []
    const key = name ?? single ?? (quoted === undefined ? undefined : decoded(quoted))
    if (match === null || (place === undefined && key === undefined)) {
      throw new MillraceError(
        'MR_INVALID_OPTION',
        `${operator}: ${quote(text)} is no path; write one such as 'a.b', 'items[0].price', or '["a name"]'`,
        { operator },
      )
    }
    path.push(place === undefined ? (key as string) : Number(place))
  }
  return path
}

/** The value at `path`: a string's characters, of anything else its text; null where the text is no JSON, or has nothing or null there. */
export function jsonAt(text: string, path: JsonPath): string | null {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  let at = skipSpaces(text, 0)
  for (const key of path) {
    const found = text[at] === '{' ? memberAt(text, at, key) : text[at] === '[' ? elementAt(text, at, key) : -1
    if (found < 0) return null
    at = found
  }
  const value = text.slice(at, endOfValue(text, at))
  if (value === 'null') return null
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}

/** Of several members of one name the last counts, as for `JSON.parse`. */
function memberAt(text: string, from: number, key: string | number): number {
  let found = -1
  let at = skipSpaces(text, from + 1)
  while (text[at] !== '}') {
    const end = endOfString(text, at)
    const value = skipSpaces(text, skipSpaces(text, end) + 1)
    if (text.slice(at + 1, end - 1) === key || decoded(text.slice(at, end)) === key) found = value
    at = skipSpaces(text, endOfValue(text, value))
    if (text[at] === ',') at = skipSpaces(text, at + 1)
  }
  return found
}

function elementAt(text: string, from: number, key: string | number): number {
  if (typeof key === 'string') return -1
  const places: number[] = []
  let at = skipSpaces(text, from + 1)
  while (text[at] !== ']') {
    if (places.length === key) return at
    places.push(at)
    at = skipSpaces(text, endOfValue(text, at))
    if (text[at] === ',') at = skipSpaces(text, at + 1)
  }
  return places.at(key < 0 ? key : places.length) ?? -1
}

function endOfValue(text: string, from: number): number {
  if (text[from] === '"') return endOfString(text, from)
  if (text[from] !== '{' && text[from] !== '[') {
    const rest = /[^,\]}\s]+/y
    rest.lastIndex = from
    return from + (rest.exec(text)?.[0].length ?? 0)
  }
  let depth = 0
  let at = from
  do {
    const char = text[at]
    if (char === '"') {
      at = endOfString(text, at)
      continue
    }
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    at++
  } while (depth > 0)
  return at
}

/** Behind the quote that ends the string that begins here. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function skipSpaces(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return at
}

function decoded(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}
