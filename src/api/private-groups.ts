/** Which groups of an aggregate come out: `minGroupSize` leaves out small ones. Groups of private aggregates are privacy.ts's. */
import type { DataType } from '../columnar/type.js'
import type { Expression } from '../expressions/node.js'
import { aggregateNode, columnOf, filterNode, freshName, projectNode } from '../plan/build.js'
import type { NamedAggregate } from '../plan/logical.js'
import { usersIn } from './aggregate-expr.js'
import { Flow } from './flow.js'
import { wholeNumber } from './options.js'
import { invalid, mismatch, show } from './refusal.js'
import type { Lowering } from './user-aggregate.js'

/** Which groups come out: what `minGroupSize`, `publicGroups` and a privacy budget's `dpGroups` give. */
export interface GroupRule {
  /** @internal */
  readonly lower: Lowering
}

/**
 * Only groups of at least `least` rows, or of at least as many different values of a column, such as people. The others are left out, and not made one.
 *
 * ```ts
 * flow.groupBy('symbol').aggregate(t => ({ mean: mean(t.price) }), minGroupSize(5))
 * ```
 * It hides no one from those who can ask twice: two answers whose difference is one person, or a total beside all groups but one, tell what this leaves out. Noise from a
 * `privacyBudget` withstands that.
 *
 * @param distinct a column whose different values are counted in the place of rows; nulls are not
 * @throws MillraceError `MR_INVALID_OPTION` for what is no whole number from 1 up
 */
export function minGroupSize(least: number, distinct?: string): GroupRule {
  wholeNumber('minGroupSize', 'the least size', least, 1, Number.MAX_SAFE_INTEGER)
  if (distinct !== undefined && typeof distinct !== 'string')
    throw mismatch('minGroupSize', `minGroupSize takes the name of a column, not ${show(distinct)}`)
  return ruleOf((flow, keys, aggregates, sets, verb) => {
    const users = aggregates.flatMap(({ expression }) => usersIn(expression))
    if (users.some(({ isPrivate }) => isPrivate))
      throw invalid('minGroupSize', 'exact sizes must not decide which private aggregates come out; use dpGroups')
    const size = freshName('#size', [...keys, ...aggregates.map(({ name }) => name)])
    const counted: NamedAggregate = {
      name: size,
      expression:
        distinct === undefined
          ? { op: 'aggregate', function: 'count', inputs: [] }
          : { op: 'aggregate', function: 'countDistinct', inputs: [columnOf(distinct)] },
    }
    const all = [...aggregates, counted]
    const lower = users[0]?.lower ?? plainly
    const { plan, sources } = lower(flow, keys, all, sets, verb)
    const enough: Expression = {
      op: 'gte',
      left: columnOf(size),
      right: { op: 'literal', value: BigInt(least), type: INT64 },
    }
    return new Flow(
      projectNode(filterNode(plan, enough), 'aggregate', plainColumns([...keys, ...namesOf(aggregates)])),
      sources,
    )
  })
}

const INT64: DataType = Object.freeze({ kind: 'int64', nullable: false }) as DataType

export const ruleOf = (lower: Lowering): GroupRule => Object.freeze({ lower })

export const plainly: Lowering = (flow, keys, aggregates, sets, verb) =>
  new Flow(aggregateNode(flow.plan, flow.schema, keys, aggregates, sets, verb), flow.sources)

export const namesOf = (named: readonly { readonly name: string }[]): string[] => named.map(({ name }) => name)

export const plainColumns = (names: readonly string[]) => names.map(name => ({ name, expression: columnOf(name) }))
