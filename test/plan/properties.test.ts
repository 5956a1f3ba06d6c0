/** The planner against the naive model, over random flows: same rows, same order, same failures. Facts of each rule are in rules.test.ts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainPlan } from '../../src/plan/explain.js'
import { physicalPlan } from '../../src/plan/planner.js'
import { optimise, RULES } from '../../src/plan/rules/optimise.js'
import { bindPlan, boundSchemaOf, schemaOfPlan } from '../../src/plan/typing.js'
import { schemaOfFields } from '../expressions/arbitrary.js'
import { choicesOf, tapes } from '../laws/choices.js'
import { ALL, someFailingFlow, someFlow } from '../laws/flows.js'
import { sayTable, sayVerbs } from '../laws/say.js'
import { fieldsOf, overflowingTypes, tables } from '../laws/tables.js'
import { ModelError, type ModelTable } from '../oracle/value.js'
import { fieldsAfter, type ModelVerb, runModel } from '../oracle/verbs.js'
import { planOf } from './arbitrary.js'
import { interpret } from './interpret.js'

const RUNS = { numRuns: 800 * Number(process.env.MILLRACE_RUNS ?? 1) }

interface Case {
  readonly table: ModelTable
  readonly verbs: readonly ModelVerb[]
}

const casesOf = (
  source: fc.Arbitrary<ModelTable>,
  make: (table: ModelTable, choices: ReturnType<typeof choicesOf>) => ModelVerb[],
): fc.Arbitrary<Case> =>
  fc.tuple(source, tapes()).map(([table, tape]) => {
    const verbs = make(table, choicesOf(tape))
    return { table, verbs, [fc.toStringMethod]: () => `${sayTable(table)}\n${sayVerbs(verbs)}` }
  })

const flows = casesOf(tables(20), (table, choices) =>
  someFlow(table, choices, 6, undefined, { ...ALL, joins: false, stages: false }),
)
const failing = casesOf(tables(20, fieldsOf(4, overflowingTypes)), (table, choices) =>
  someFailingFlow(table, choices, { ...ALL, joins: false, stages: false }),
)

type Outcome = readonly (readonly unknown[])[] | 'fails'

function outcome(run: () => ModelTable): Outcome {
  try {
    return run().rows.map(({ values }) => values)
  } catch (error) {
    if (error instanceof ModelError) return 'fails'
    throw error
  }
}

describe('random flows', () => {
  it('have the schema that the model gives them', () => {
    fc.assert(
      fc.property(flows, ({ table, verbs }) => {
        const expected = verbs.reduce((fields, verb) => fieldsAfter(verb, fields), table.fields)
        expect(schemaOfPlan(planOf(table.fields, verbs))).toEqual(schemaOfFields(expected))
      }),
      RUNS,
    )
  })

  it('are planned to stages that give what the model gives', () => {
    fc.assert(
      fc.property(flows, ({ table, verbs }) => {
        const plan = physicalPlan(planOf(table.fields, verbs))
        expect(outcome(() => interpret(plan, table))).toEqual(outcome(() => runModel(table, verbs)))
      }),
      RUNS,
    )
  })

  it('fail when planned exactly where the model fails', () => {
    let failures = 0
    fc.assert(
      fc.property(failing, ({ table, verbs }) => {
        const plan = physicalPlan(planOf(table.fields, verbs))
        const expected = outcome(() => runModel(table, verbs))
        if (expected === 'fails') failures++
        expect(outcome(() => interpret(plan, table))).toEqual(expected)
      }),
      RUNS,
    )
    expect(failures).toBeGreaterThan(20)
  })

  it('are planned alike whether the schema is known before the source opens or not', () => {
    fc.assert(
      fc.property(flows, ({ table, verbs }) => {
        const schema = schemaOfFields(table.fields)
        const late = planOf(table.fields, verbs, false)
        expect(schemaOfPlan(late)).toBe(null)
        expect(physicalPlan(late, schema)).toEqual(physicalPlan(planOf(table.fields, verbs)))
      }),
      { numRuns: 200 },
    )
  })

  it('bind and optimise to what binds and optimises to itself', () => {
    fc.assert(
      fc.property(fc.oneof(flows, failing), ({ table, verbs }) => {
        const bound = bindPlan(planOf(table.fields, verbs), null)
        expect(bindPlan(bound, null)).toEqual(bound)
        const optimised = optimise(bound)
        expect(bindPlan(optimised, null)).toBe(optimised)
        for (const rule of RULES) expect(rule(optimised), rule.name).toBe(optimised)
        const [before, after] = [boundSchemaOf(bound), boundSchemaOf(optimised)]
        expect(Object.keys(after)).toEqual(Object.keys(before))
      }),
      { numRuns: 300 },
    )
  })

  it('are data that structured cloning keeps, and are explained', () => {
    fc.assert(
      fc.property(flows, ({ table, verbs }) => {
        const plan = planOf(table.fields, verbs)
        const physical = physicalPlan(plan)
        for (const data of [plan, physical]) expect(structuredClone(data)).toEqual(data)
        expect(explainPlan(plan)).toMatch(/^source test: /)
        expect(explainPlan(planOf(table.fields, verbs, false))).toMatch(/^source test, whose columns/)
      }),
      { numRuns: 100 },
    )
  })
})
