/**
 * What a regular expression is made of, as far as it matters for how long it may run: characters by the sets that they match, sequences, choices and
 * repetitions. JavaScript has compiled the pattern already, so it is well-formed.
 */
import { MillraceError, quote } from '../../errors.js'

/** Bit c of ASCII character c, and above these a few of what is beyond ASCII. */
export type CharSet = bigint

export type PatternNode =
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly least: number; readonly most: number }
  | { readonly kind: 'look'; readonly body: PatternNode }
  | { readonly kind: 'start' }

const NOTHING: PatternNode = { kind: 'sequence', items: [] }
/** Beyond ASCII some characters stand for all: letters with case and without, digits, marks and signs, but spaces each for itself, since `\s` is these alone. All others are one more. */
const SAMPLE = Array.from(
  '\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\x80\xaa\xb5\xdf\xc0\xe0\xff\u0130\u0131\u017f\u0345\u212a\u0391\u03b1\u0416\u05d0\u0633\u0915\u65e5\u3042\uac00\u0661\u0300\u200b\u20ac\u2192\u2019\u{1f600}\u{1d49c}',
)
const OTHER = '\ue000'
const OTHER_BIT = 1n << BigInt(128 + SAMPLE.length)

/** Groups within each other: they are read by functions that call themselves. */
const MOST_DEPTH = 250

/** One character by its escape, without and with flag u or v: the same text is more of them elsewhere. */
const ESCAPED = /^\\(?:u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|0[0-7]{0,2}|[\s\S])/
const UNICODE_ESCAPED =
  /^\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|[\s\S])/

/** @throws MillraceError `MR_INVALID_OPTION` for back-references, and for classes of strings. */
export function parsePattern(source: string, given: string, operator: string): PatternNode {
  const sets = new Map<string, CharSet>()
  const isUnicode = /[uv]/.test(given)
  /** Those of the group at hand. */
  let flags = given
  let depth = 0
  let at = 0

  const choice = (): PatternNode => {
    const items = [sequence()]
    while (source[at] === '|') {
      at++
      items.push(sequence())
    }
    return items.length === 1 ? items[0] : { kind: 'choice', items }
  }

  function sequence(): PatternNode {
    const items: PatternNode[] = []
    while (at < source.length && source[at] !== '|' && source[at] !== ')') items.push(repeated(term()))
    return items.length === 1 ? items[0] : { kind: 'sequence', items }
  }

  function repeated(body: PatternNode): PatternNode {
    const match = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(source.slice(at))
    if (match === null) return body
    at += match[0].length
    const [, sign, low, comma, high] = match
    if (sign !== undefined)
      return { kind: 'repeat', body, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity }
    const least = Number(low)
    const most = comma === '' ? least : high === '' ? Infinity : Number(high)
    return { kind: 'repeat', body, least, most }
  }

  function term(): PatternNode {
    const char = source[at]
    if (char === '(') return group()
    if (char === '[') return charOf(classText())
    if (char === '^' || char === '$') {
      at++
      return char === '^' && !flags.includes('m') ? { kind: 'start' } : NOTHING
    }
    if (char === '\\') return escaped()
    // Of a pair of surrogates both, where they are one character.
    const text = isUnicode ? String.fromCodePoint(source.codePointAt(at) as number) : char
    at += text.length
    return charOf(text)
  }

  function group(): PatternNode {
    if (depth === MOST_DEPTH) throw refuse(`has more than ${MOST_DEPTH} groups within each other; write a simpler one`)
    depth++
    const [opening, on = '', off = ''] = /^\((?:\?(?:<?[=!]|<[^>]*>|([a-z]*)(?:-([a-z]*))?:))?/.exec(
      source.slice(at),
    ) as RegExpExecArray
    at += opening.length
    const outer = flags
    flags = Array.from(new Set(outer + on), flag => (off.includes(flag) ? '' : flag)).join('')
    const body = choice()
    flags = outer
    depth--
    at++
    return /[=!]$/.test(opening) ? { kind: 'look', body } : body
  }

  function escaped(): PatternNode {
    const rest = source.slice(at)
    if (/^\\[bB]/.test(rest)) {
      at += 2
      return NOTHING
    }
    if (/^\\(?:[1-9]|k<)/.test(rest)) {
      throw refuse(
        'refers back to what a group has matched, for which there is no bound on time; extract the parts and compare them',
      )
    }
    const text = (isUnicode ? UNICODE_ESCAPED : ESCAPED).exec(rest)?.[0] as string
    at += text.length
    return charOf(text)
  }

  function classText(): string {
    const from = at
    let depth = 0
    do {
      if (source[at] === '\\') at++
      else if (source[at] === '[' && (depth === 0 || flags.includes('v'))) depth++
      else if (source[at] === ']') depth--
      at++
    } while (depth > 0)
    return source.slice(from, at)
  }

  function charOf(text: string): PatternNode {
    const key = `${flags} ${text}`
    let set = sets.get(key)
    if (set === undefined) {
      if (hasStrings(text)) throw refuse('has a class of strings of several characters; write these as alternatives')
      const one = new RegExp(`^(?:${text})$`, flags.replace(/[dgmy]/g, ''))
      set = /[^\0-\x7f]|\\[uxpP]/.test(text) || one.test(OTHER) ? OTHER_BIT : 0n
      for (let code = 0; code < 128; code++) if (one.test(String.fromCharCode(code))) set |= 1n << BigInt(code)
      SAMPLE.forEach((char, i) => {
        if (one.test(char)) set = (set as CharSet) | (1n << BigInt(128 + i))
      })
      sets.set(key, set)
    }
    return { kind: 'char', set }
  }

  /** By flag v a class may, which then has no opposite. */
  function hasStrings(text: string): boolean {
    if (!given.includes('v') || !/^(?:\[|\\p)/.test(text)) return false
    try {
      new RegExp(`[^${text}]`, given)
      return false
    } catch {
      return true
    }
  }

  function refuse(reason: string): MillraceError {
    return new MillraceError('MR_INVALID_OPTION', `${operator}: ${quote(source)} ${reason}`, { operator })
  }

  return choice()
}
