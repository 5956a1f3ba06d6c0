/** What text is taken for, against numbers and dates made first and written then, and by hand at the edges. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortOfField, sortOfTime } from '../../src/formats/value-sort.js'
import { knownValue } from './sorted-values.js'

test('what was written as something is taken for it', () => {
  fc.assert(
    fc.property(fc.oneof(...Object.values(knownValue)), ({ text, sort }) => {
      expect(sortOfField(text)).toBe(sort)
    }),
    { numRuns: 1000 },
  )
})

test.each([
  ['integer', '0 -0 7 -12 9223372036854775807 -9223372036854775808'],
  ['wide', '9223372036854775808 -9223372036854775809 +7 99999999999999999999999'],
  ['float', '0.0 .5 -.5 +1.5 5. 1e5 1E+5 2e-308 5e-324 nan NaN -inf Infinity +INF 1.7976931348623157e308'],
  ['text', '007 00501 -01 00.5 01e5 1e999 1e-999 + e5 1e 0x10 1_000 1,5 ١ t f yes on infinit 1.2.3 --1 +-1'],
  ['bool', 'true FALSE TrUe'],
  ['date', '2024-02-29 0000-01-01 9999-12-31 +010000-01-01 -000001-12-31 +5881580-07-11'],
  ['text', '2023-02-29 2024-13-01 2024-1-1 +5881580-07-12 2024-02-30T00:00 24-01-01'],
  [
    'time',
    '2024-02-29T00:00 2024-02-29T23:59:59.999999999Z 2024-02-29T12:00+14 2024-02-29T12:00:00-03:30 +010000-01-01T00:00',
  ],
  ['time', '2024-02-29T00:00:00.1234567890000'],
  ['text', '2024-02-29T24:00 2024-02-29T12:60 2024-02-29T12:00:60 2024-02-29T12 2024-02-29T12:00.5 2024-02-29t12:00'],
  [
    'text',
    '2024-02-29T12:00z 2024-02-29T12:00+0330 2024-02-29T12:00+24 2024-02-29T12:00:00. 2024-02-29T00:00:00.1234567891',
  ],
  ['token', 'NA null NULL None \\N - ? .'],
])('%s: %s', (sort, texts) => {
  for (const text of texts.split(' ')) expect([text, sortOfField(text)]).toEqual([text, sort])
})

test('a time keeps its space, and spaces around make it text', () => {
  expect(sortOfTime('2024-02-29 12:00')).toBe('time')
  expect(sortOfTime(' 2024-02-29')).toBe(null)
  expect(sortOfField('')).toBe('text')
})

test('no text is slow', () => {
  const begun = performance.now()
  for (const part of ['1', '0', ' ', '-', '1.', '1e', '2024-02-29T', 'true']) sortOfField(part.repeat(200_000))
  expect(performance.now() - begun).toBeLessThan(1000)
})
