/** Streams of events, by the standard's examples, and cut anywhere. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventParser } from '../../../src/sources/live/event-stream.js'

const parse = (...pieces: string[]) => {
  const parser = createEventParser()
  const events = pieces.flatMap(piece => parser.feed(piece))
  return { events, lastId: parser.lastId, retryMs: parser.retryMs }
}
const message = (data: string, id = '') => ({ event: 'message', data, id })

/** The standard's algorithm, line by line, over the whole text. */
function model(text: string) {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  lines.pop()
  const events: object[] = []
  let [event, id, lastId] = ['', '', '']
  let data: string | null = null
  let retryMs: number | null = null
  for (const line of lines) {
    if (line === '') {
      lastId = id
      if (data !== null) events.push({ event: event || 'message', data, id })
      data = null
      event = ''
      continue
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) as unknown as [string, string, string?]
    if (name === 'data') data = data === null ? value : `${data}\n${value}`
    if (name === 'event') event = value
    if (name === 'id' && !value.includes('\0')) id = value
    if (name === 'retry' && /^[0-9]+$/.test(value)) retryMs = Number(value)
  }
  return { events, lastId, retryMs }
}

describe('text/event-stream', () => {
  it('reads what the standard shows', () => {
    expect(parse('data: YHOO\ndata: +2\ndata: 10\n\n').events).toEqual([message('YHOO\n+2\n10')])
    expect(
      parse(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n').events,
    ).toEqual([message('first event', '1'), message('second event'), message(' third event')])
    expect(parse('data\n\ndata\ndata\n\ndata:').events).toEqual([message(''), message('\n')])
    expect(parse('data:test\n\ndata: test\n\n').events).toEqual([message('test'), message('test')])
    expect(parse('event: add\ndata: 73\n\n').events).toEqual([{ event: 'add', data: '73', id: '' }])
    expect(parse('\ufeffdata: a\r\n\r', '\n: ignored\nretry: 1500\nretry: soon\nid: a\0b\n\n')).toEqual({
      events: [message('a')],
      lastId: '',
      retryMs: 1500,
    })
  })

  it('is the same whatever pieces it comes in', () => {
    const token = fc.constantFrom(
      'data',
      'data:',
      'event: x',
      'id: 7',
      'id',
      'retry: 20',
      ': c',
      'data: é😀',
      ' ',
      ':',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'id:\0',
      'other: y',
      '\ufeff',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), fc.array(fc.nat(40), { maxLength: 8 }), (tokens, cuts) => {
        const text = tokens.join('')
        const places = [...new Set(cuts.map(cut => Math.min(cut, text.length)))].sort((a, b) => a - b)
        const pieces = [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length))
        // A carriage return at the very end may be half of a break: either way the line has ended.
        expect(parse(...pieces)).toEqual(model(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses an event of too many characters, and of too many lines without any', () => {
    const within = (text: string) => {
      const parser = createEventParser('', null, 100)
      return () => [...text].flatMap(char => parser.feed(char)).length
    }
    expect(within(`data:${'x'.repeat(94)}\n\n`.repeat(3))()).toBe(3)
    expect(within('data:\n\n'.repeat(200))()).toBe(200)
    for (const endless of ['x', ':', 'data: x', 'data:\n', 'data\n', 'data: x\n'])
      expect(within(endless.repeat(200)), endless).toThrow(RangeError)
  })
})
