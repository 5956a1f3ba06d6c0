// Which parts a plan calls for, and no others.
import { expect, it } from 'vitest'
import { float64, int32, utf8 } from '../../src/columnar/type.js'
import { partsFor } from '../../src/plan/needs.js'
import { physicalPlan } from '../../src/plan/planner.js'
import type { ModelFunction } from '../oracle/aggregate.js'
import type { ModelVerb } from '../oracle/verbs.js'
import { planOf } from './arbitrary.js'

const column = (name: string) => ({ op: 'column', name }) as const
const whole = { op: 'literal', value: 1, type: { kind: 'int32', nullable: false } } as const

function needs(verbs: readonly ModelVerb[], rowCount = 10): string[] {
  const fields = [
    { name: 'x', type: { kind: 'int32', nullable: false } },
    { name: 'd', type: { kind: 'float64', nullable: false } },
    { name: 's', type: { kind: 'utf8', nullable: false } },
  ] as const
  return partsFor(physicalPlan(planOf(fields, verbs), { x: int32(), d: float64(), s: utf8() }), rowCount)
}

const aggregate = (name: ModelFunction, input: string, keys: string[] = []): ModelVerb => ({
  verb: 'aggregate',
  keys,
  aggregates: [['y', { function: name, inputs: [column(input)], where: null }]],
})

it('columns as they are, and plain aggregates of them, need none', () => {
  for (const name of ['count', 'sum', 'mean'] as const) expect(needs([aggregate(name, 'd')])).toEqual([])
  expect(
    needs([
      { verb: 'select', names: ['x'] },
      { verb: 'limit', count: 1, offset: 0 },
    ]),
  ).toEqual([])
})

it('strings, computations and other aggregates need their own', () => {
  expect(needs([])).toEqual(['text'])
  expect(needs([aggregate('mean', 'x')])).toEqual(['integers'])
  expect(needs([aggregate('max', 'x')])).toEqual(['extremes'])
  expect(needs([aggregate('max', 's')])).toEqual(['text', 'aggregates', 'extremes', 'integers'])
  expect(needs([aggregate('first', 'x')])).toEqual(['aggregates', 'extremes', 'integers'])
  expect(needs([{ verb: 'filter', predicate: { op: 'gt', left: column('x'), right: whole } }])).toEqual([
    'evaluate',
    'text',
  ])
})

it('groups need partitions where there may be many of them', () => {
  expect(needs([aggregate('sum', 'd', ['x'])], 2 ** 17)).toEqual([])
  expect(needs([aggregate('sum', 'd', ['x'])], 2 ** 17 + 1)).toEqual(['partitions'])
  expect(needs([], 2 ** 20)).toEqual(['text'])
})
