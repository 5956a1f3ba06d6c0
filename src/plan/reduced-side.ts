/**
 * Which side of a join is built where one is known to be far smaller. The left one keeps its place, since its order is the answer's; but where it has few rows against many, the keys
 * that it has are built first and the right side's rows run past them, so that only those that meet some row are built:
 *
 *   left ⋈ right   =   left ⋈ (right ⋉ keys of left)          left, anti and semi joins likewise; of these a key's first row will do
 *
 * What comes out is the same, row for row. A chunk of its own, which plans of several sources load.
 */
import { canFail } from '../expressions/failure.js'
import { aggregateNode, selectNode } from './build.js'
import { hasEventTime } from './event-time.js'
import { joinNode } from './join.js'
import type { JoinNode, PlanNode, SourceNode } from './logical.js'
import { anyCanFail, overInput } from './rules/rewrite.js'
import { boundSchemaOf } from './typing.js'

/** A right side of fewer rows is built at once, whatever the left one has. */
const LEAST_ROWS = 2 ** 17
/** So many times the rows of the left side. */
const LEAST_RATIO = 8
/** The same where the rows have to be counted first, */
const LEAST_COUNTED_RATIO = 64
/** and of so many but one may stay: lanes send one another all of theirs for less than what is left of many takes through the calling thread. */
const MOST_STAY = 8

/** What is known of a plan's sources. */
export interface SideStatistics {
  /** Null where nobody knows. */
  rowCount(source: SourceNode): Promise<number | null>
  /** Whether a side is nothing but rows that the very lanes hold, which reading does not cost. */
  isShared(side: PlanNode): boolean
  /** Rows that a plan gives, by running it. */
  count(plan: PlanNode): Promise<number>
}

/** A bound plan, the right sides of its joins reduced where that pays. Joins of event time stay as they are. */
export const reduceSides = async (plan: PlanNode, statistics: SideStatistics): Promise<PlanNode> =>
  hasEventTime(plan) ? plan : reducedIn(plan, statistics)

/** A right side is planned by itself, when it is run. */
async function reducedIn(plan: PlanNode, statistics: SideStatistics): Promise<PlanNode> {
  if (plan.kind === 'source') return plan
  const input = await reducedIn(plan.input, statistics)
  if (plan.kind !== 'union') {
    const node = overInput(plan, input)
    return node.kind === 'join' ? reduced(node, statistics) : node
  }
  const others: PlanNode[] = []
  for (const each of plan.others) others.push(await reducedIn(each, statistics))
  return Object.freeze({ ...plan, input, others: Object.freeze(others) })
}

async function reduced(join: JoinNode, statistics: SideStatistics): Promise<PlanNode> {
  const { how, keys, where, asof, input, right } = join
  if (how === 'right' || how === 'full' || asof !== null || keys.length === 0) return join
  const [few, many] = [await rowsOf(input, statistics), await rowsOf(right, statistics)]
  // What fails on the left is not to be told before what fails on the right.
  if (few === null || many === null || many < LEAST_ROWS || many < LEAST_RATIO * few || mayFail(input)) return join
  const told = `${few} rows, whose keys are built first: the right side has ${many}`
  const left = selectNode(relabelled(input, told), boundSchemaOf(input), [...new Set(keys.map(key => key.left))])
  const met = joinNode(right, boundSchemaOf(right), left, boundSchemaOf(left), {
    how: 'semi',
    verb: 'semiJoin',
    keys: Object.freeze(keys.map(key => Object.freeze({ left: key.right, right: key.left }))),
    where: null,
    suffix: '',
    asof: null,
  })
  // Whether a row has a partner, the first of each key tells.
  if ((how === 'semi' || how === 'anti') && where === null)
    return Object.freeze({ ...join, right: firstOfKeys(met, keys) })
  if (statistics.isShared(right)) {
    if (many < LEAST_COUNTED_RATIO * few || MOST_STAY * (await statistics.count(met)) > many) return join
  }
  return Object.freeze({ ...join, right: met })
}

function firstOfKeys(met: JoinNode, keys: JoinNode['keys']): PlanNode {
  const names = [...new Set(keys.map(key => key.right))]
  const schema = boundSchemaOf(met)
  return aggregateNode(selectNode(met, schema, names), schema, names, [])
}

/** At most, of a chain whose rows are each of one row of the source. */
async function rowsOf(plan: PlanNode, statistics: SideStatistics): Promise<number | null> {
  if (plan.kind === 'source') return statistics.rowCount(plan)
  return plan.kind === 'project' || plan.kind === 'filter' ? rowsOf(plan.input, statistics) : null
}

function mayFail(plan: PlanNode): boolean {
  if (plan.kind !== 'project' && plan.kind !== 'filter') return false
  const schema = boundSchemaOf(plan.input)
  const fails = plan.kind === 'project' ? anyCanFail(plan.columns, schema) : canFail(plan.predicate, schema)
  return fails || mayFail(plan.input)
}

/** The chain over its source, of which people are told more. */
function relabelled(plan: PlanNode, told: string): PlanNode {
  if (plan.kind === 'source') return Object.freeze({ ...plan, label: `${plan.label} (${told})` })
  return overInput(plan, relabelled(plan.input, told))
}
