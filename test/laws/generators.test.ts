/** The generators themselves: chains that were promised not to fail do not, and everything that can be drawn is drawn. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelError } from '../oracle/value.js'
import { runModel } from '../oracle/verbs.js'
import { choicesOf, tapes } from './choices.js'
import { ALL, someFailingFlow, someFlow } from './flows.js'
import { sayVerbs } from './say.js'
import { fieldsOf, overflowingTypes, spread, tables } from './tables.js'

const drawn = fc.tuple(tables(30), tapes())

describe('the generators of the laws', () => {
  it('make chains that do not fail where they promise not to', () => {
    fc.assert(
      fc.property(drawn, ([table, tape]) => {
        runModel(table, someFlow(table, choicesOf(tape), 6, undefined, ALL))
      }),
      { numRuns: 200 },
    )
  })

  it('draw every verb, aggregate and operation, and rows more often than none', () => {
    const cases = fc.sample(drawn, { numRuns: 3000, seed: 1 })
    const text = cases.map(([table, tape]) => sayVerbs(someFlow(table, choicesOf(tape), 6, undefined, ALL))).join('\n')
    const verbs = [
      ...['select', 'drop', 'rename', 'derive', 'filter', 'limit', 'orderBy', 'groupBy', 'rollup', 'cube'],
      ...['topK', 'explode', 'unpivot'],
    ]
    const operations = [
      'add',
      'sub',
      'mul',
      'div',
      'intDiv',
      'mod',
      'neg',
      'and',
      'or',
      'not',
      'isNull',
      'between',
      'in',
    ]
    const comparisons = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'year', 'month', 'dayOfWeek', 'hour', 'where']
    for (const word of [...verbs, ...operations, ...comparisons, 'count', 'sum', 'mean', 'min', 'max']) {
      expect(text.split(`${word}(`).length, word).toBeGreaterThan(5)
    }
    // Strings to join are in a fifth of the tables.
    for (const word of ALL.functions) expect(text.split(`${word}(`).length, word).toBeGreaterThan(1)
    const answers = cases.map(([table, tape]) => runModel(table, someFlow(table, choicesOf(tape), 6)).rows.length)
    expect(answers.filter(rows => rows > 0).length).toBeGreaterThan(700)
  })

  it('make chains that fail, somewhere past the first row, where they may', () => {
    const overflowing = fc.tuple(tables(30, fieldsOf(4, overflowingTypes)), tapes())
    const failures = fc.sample(overflowing, { numRuns: 2000, seed: 1 }).flatMap(([table, tape]) => {
      try {
        runModel(table, someFailingFlow(table, choicesOf(tape)))
        return []
      } catch (error) {
        return error instanceof ModelError ? [error.row] : [NaN]
      }
    })
    expect(failures.length).toBeGreaterThan(120)
    expect(failures.filter(row => row > 0).length).toBeGreaterThan(60)
    expect(failures).not.toContain(NaN)
  })

  it('spread a block over many rows, the last of its rows turning up late', () => {
    const fields = [{ name: 'x', type: { kind: 'int32', nullable: false } }] as const
    const block = { fields, rows: [0n, 1n, 2n, 3n].map((x, source) => ({ source, values: [x] })) }
    const { rows } = spread(block, 1000, 7)
    expect(rows.map(row => row.source)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(rows.findIndex(row => row.values[0] === 3n)).toBeGreaterThan(700)
    expect(new Set(rows.map(row => row.values[0]))).toEqual(new Set([0n, 1n, 2n, 3n]))
  })
})
