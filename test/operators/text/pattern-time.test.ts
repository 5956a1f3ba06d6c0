// How long a pattern may run, held against a plain backtracking matcher that counts its steps.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { longestString } from '../../../src/operators/text/pattern-time.js'
import { type PatternNode, parsePattern } from '../../../src/operators/text/pattern-tree.js'

const DEGREES = new Map([
  [Infinity, 1],
  [44_721, 2],
  [1817, 3],
  [393, 4],
])

/** The power that time may grow by; Infinity where the pattern is refused. */
function degree(pattern: RegExp): number {
  try {
    return DEGREES.get(longestString(pattern.source, pattern.flags, 'matches')) ?? 5
  } catch (error) {
    expect(error).toMatchObject({ code: 'MR_INVALID_OPTION' })
    return Infinity
  }
}

/** Steps of a search by trying everything in order, up to `most`. */
function steps(pattern: PatternNode, text: string, most: number): number {
  let count = 0
  const codes = Array.from(text, char => 1n << BigInt(char.charCodeAt(0)))
  const match = (node: PatternNode, at: number, then: (at: number) => boolean): boolean => {
    if (++count > most) return true
    switch (node.kind) {
      case 'char':
        return at < codes.length && (node.set & (codes[at] as bigint)) !== 0n && then(at + 1)
      case 'start':
        return at === 0 && then(at)
      case 'look':
        return match(node.body, at, () => true) && then(at)
      case 'choice':
        return node.items.some(item => match(item, at, then))
      case 'sequence': {
        const from = (i: number, here: number): boolean =>
          i === node.items.length ? then(here) : match(node.items[i] as PatternNode, here, next => from(i + 1, next))
        return from(0, at)
      }
      case 'repeat': {
        const { body, least, most: times } = node
        const again = (done: number, here: number): boolean =>
          (done < times &&
            match(body, here, next => (next === here && done >= least ? false : again(done + 1, next)))) ||
          (done >= least && then(here))
        return again(0, at)
      }
    }
  }
  // What never comes at the end makes it try all there is.
  for (let from = 0; from <= codes.length && count <= most; from++) match(pattern, from, () => false)
  return count
}

const atoms = fc.constantFrom('a', 'b', '[ab]', '.', '\\w', 'c')
const patterns: fc.Arbitrary<string> = fc.letrec<{ all: string }>(tie => ({
  all: fc.oneof(
    { maxDepth: 3 },
    atoms,
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => a + b),
    fc.tuple(tie('all'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{12}')).map(([a, sign]) => `(?:${a})${sign}`),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `(?:${a}|${b})`),
  ),
})).all

describe('the time of a pattern', () => {
  it('grows no faster than is told', () => {
    fc.assert(
      fc.property(patterns, fc.boolean(), fc.stringMatching(/^[ab]{1,4}$/), (source, isAnchored, unit) => {
        const pattern = new RegExp(isAnchored ? `^(?:${source})` : source)
        const power = degree(pattern)
        fc.pre(power <= 4)
        const tree = parsePattern(pattern.source, '', 'matches')
        const [short, long] = [unit.repeat(160).slice(0, 40), unit.repeat(160).slice(0, 160)]
        const most = 3_000_000
        const [few, many] = [steps(tree, short, most), steps(tree, long, most)]
        // Four times as long; the next power would be four times more.
        expect(many, String(pattern)).toBeLessThanOrEqual(few * 4 ** power * 2.5 + 2000)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    /(a+)+/,
    /(a*)*b/,
    /(a|a)*c/,
    /(a|b|ab)*c/,
    /(x+x+)+y/,
    /([a-z]+[0-9]*)*$/,
    /(a?){30}a{30}/,
    /^(([a-z])+.)+[A-Z]([a-z])+$/,
    /(\w+\s?)*$/,
    /((a{0,61}){0,61})x/,
    /^(\s|\u202f)+$/,
    /^(?:\s|[\u2004-\u2009])*$/u,
    /^(?:\ud83d\ude00x|\u{1f600}x)*$/u,
  ])('%s is refused', pattern => {
    expect(degree(pattern)).toBe(Infinity)
  })

  it('every space is one of those that a class of spaces has', () => {
    const spaces = Array.from({ length: 0xffff }, (_, unit) => unit).filter(unit =>
      /\s/.test(String.fromCharCode(unit)),
    )
    expect(spaces).toHaveLength(25)
    const written = spaces.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`)
    for (const space of written) expect([space, degree(new RegExp(`(?:\\s|${space})*x`))]).toEqual([space, Infinity])
  })

  it('escapes are what they are without flag u', () => {
    // A u, once or twice; octal digits.
    for (const source of ['^(?:\\u{1,2})*x', '^(?:\\07|\\x07)*x']) {
      expect(() => longestString(source, '', 'matches'), source).toThrow('exponentially')
    }
  })

  it('flags of a group are its own', () => {
    const told = (source: string) => () => longestString(source, '', 'matches')
    for (const source of ['^(?:(?i:a)|A)*x', '^(?i:(?:(?-i:a)|A)*)x', '^(?:(?s:.)|\\n)*x']) {
      expect(told(source), source).toThrow('exponentially')
    }
    for (const source of ['^(?:(?i:a)|b)*x', '^(?:(?-i:a)|A)*x', '^(?:(?i:b)(?:a|A))*x']) {
      expect(told(source), source).not.toThrow()
    }
  })

  it('groups within each other, however many, are no end of the stack', () => {
    const nested = (count: number) => `^${'(?:'.repeat(count)}a${')'.repeat(count)}`
    expect(longestString(nested(250) + nested(250), '', 'matches')).toBe(Infinity)
    for (const count of [251, 10_000]) {
      expect(() => longestString(nested(count), '', 'matches')).toThrow('groups within each other')
    }
  })

  it('a class of strings is refused', () => {
    for (const source of ['^[\\q{ab|a|b}]*$', '^\\p{RGI_Emoji}*$', '^[x\\p{Basic_Emoji}]*$']) {
      expect(() => longestString(source, 'v', 'matches')).toThrow('strings of several characters')
    }
  })

  it('ways that no length makes more of are counted where they are many', () => {
    const told = (source: string) => longestString(source, '', 'matches')
    const tooMany = ['^(?:a?){9}(?:a?){9}(?:a?){9}(?:a?){8}b', `^${'\\d{1,9}'.repeat(9)}x`, `^(?=${'a?'.repeat(40)}b)`]
    for (const source of tooMany) expect(() => told(source), source).toThrow('in too many ways')
    // Of one text there are few, or one.
    const few = [
      '\\d?'.repeat(12),
      'a?b?c?d?'.repeat(8),
      '(?:a|b)(?:c|d)'.repeat(20),
      '(?:\\d{1,9},)'.repeat(30),
      '\\d{1,9}'.repeat(7),
    ]
    for (const source of few) expect([source, told(`^${source}x`)]).toEqual([source, Infinity])
    const searched = told(`${'\\d?'.repeat(12)}x`)
    expect(searched).toBeGreaterThan(1000)
    expect(searched).toBeLessThan(1e6)
  })

  it('ways are as many where a part is repeated as where it is written out', () => {
    const told = (source: string) => longestString(source, '', 'matches')
    for (const part of ['a*a?', 'a*b?', 'a?a*']) {
      const repeated = told(`^(?:${part}){9}c`)
      expect([part, repeated]).toEqual([part, told(`^${part.repeat(9)}c`)])
      expect(repeated).toBeLessThan(20)
    }
    expect(() => told('^(?:a*a?a?){9}c')).toThrow('in too many ways')
  })

  it.each([/(a)\1/, /(?<x>a)\k<x>/])('%s refers back, and is refused', pattern => {
    expect(degree(pattern)).toBe(Infinity)
  })

  it('usual patterns are taken', () => {
    const linear = [
      /foo|bar/,
      /^\d{4}-\d{2}-\d{2}$/,
      /^(\w+)\s(\w+)\s(\w+)\s(\w+)\s"([^"]*)"$/,
      /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i,
      /^(\d+)(,\d+)*$/,
      /^(\p{L}+\s)+$/u,
      /^#?([a-f0-9]{6}|[a-f0-9]{3})$/,
      /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/,
      /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
    ]
    const sets = ['^[\\p{L}--[a-z]]+x$', '^[[a-z]&&[^x]]+x$'].map(source => new RegExp(source, 'v'))
    expect([...linear, ...sets].map(degree)).toEqual([...linear, ...sets].map(() => 1))
    const square = [
      /\d+/,
      /"(?:[^"\\]|\\.)*"/,
      /^.*foo.*$/,
      /^(?=.*\d)(?=.*[a-z]).{8,}$/,
      /https?:\/\/[^\s/]+(\/[^\s?#]*)?(\?[^\s#]*)?/,
    ]
    expect(square.map(degree)).toEqual(square.map(() => 2))
  })
})
