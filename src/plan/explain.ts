/**
 * A plan as readable text: what the source delivers, what every lane does, what one lane does after the gather. The text is stable from run to
 * run and tested; where the schema is not known yet, the verbs are listed as they were written.
 */
import { commonParts } from '../expressions/common.js'
import type { Expression } from '../expressions/node.js'
import { printAggregate, printExpression, printName, printOrder, printSchema, short } from '../expressions/print.js'
import { substitute } from '../expressions/walk.js'
import { columnOf, sourceNode } from './build.js'
import { explainWindows, type SourceTraits } from './event-time.js'
import type {
  AggregateNode,
  DistinctNode,
  EmitNode,
  JoinKey,
  JoinNode,
  LateNode,
  NamedExpression,
  OverNode,
  PlanNode,
  SampleNode,
  SourceNode,
  TakenColumn,
  TopNode,
  UnpivotNode,
  UserNode,
  WatermarkNode,
} from './logical.js'
import { type AccumulatorSpec, isBreaker, type PhysicalPlan, type Stage } from './physical.js'
import { physicalPlan } from './planner.js'
import { choosesRows } from './row-rules.js'
import { overInput } from './rules/rewrite.js'
import { sourcesOf } from './sources-of.js'
import { schemaOfPlan } from './typing.js'

export function explainPlan(plan: PlanNode, sources: Iterable<SourceTraits> = []): string {
  const lines = textOf(plan).split('\n')
  // Before what comes out.
  lines.splice(-1, 0, ...explainWindows(plan, sources))
  return lines.join('\n')
}

/** As it is collected. */
function textOf(plan: PlanNode): string {
  const source = sourceOf(plan)
  const schema = schemaOfPlan(plan)
  const chosen = schema === null ? null : explainChosen(plan)
  if (chosen !== null) return chosen
  if (schema === null || choosesRows(plan)) {
    const known = source.schema === null ? ', whose columns are known once it opens' : ''
    return [...sidesOf(plan), `source ${source.label}${known}`, ...verbs(plan)].join('\n')
  }
  return explainPhysical(physicalPlan(plan), plan)
}

/** Rows that are chosen among others of their group, and what is below and above: how they are chosen is a chunk of its own. Null where none are. */
function explainChosen(plan: PlanNode): string | null {
  const found = choiceIn(plan)
  if (found === null) return null
  const [choice, above] = found
  const before = textOf(choice.input).split('\n').slice(0, -1)
  const after = textOf(above).split('\n')
  return [
    ...before,
    ...(before.includes(GATHERED) ? [] : [GATHERED]),
    ...verbs(choice).slice(-1),
    // Its rows are in one place already.
    ...after.filter((line, i) => /^( {2}(?!skips )|output)/.test(line) && after[i - 1] !== GATHERED),
  ].join('\n')
}

/** The lowest choice of a chain, and what is above it, over its rows. */
function choiceIn(plan: PlanNode): readonly [TopNode | DistinctNode, PlanNode] | null {
  if (plan.kind === 'source' || plan.kind === 'join' || plan.kind === 'union') return null
  const below = choiceIn(plan.input)
  if (below !== null) return [below[0], overInput(plan, below[1])]
  const isChoice = (plan.kind === 'top' || plan.kind === 'distinct') && !choosesRows(plan.input)
  return isChoice ? [plan, sourceNode(0, '', schemaOfPlan(plan))] : null
}

const GATHERED = 'lane 0, after the gather'

/** The stages that run; `root` is the plan that they are of, whose sources say what they are called and how many columns they have. */
export function explainPhysical(plan: PhysicalPlan, root: PlanNode): string {
  const { label, schema } = sourceOf(root)
  const { scan, final } = plan
  const last = scan.at(-1)
  const gathers = last !== undefined && isBreaker(last)
  const all = Object.keys(schema ?? plan.sourceSchema).length
  const read = plan.sourceColumns.length
  const lines =
    plan.branches.length > 0
      ? explainBranches(plan, root)
      : [
          ...plan.sides.flatMap(explainSide),
          `source ${label}: ${read === 0 ? 'only the number of rows' : printSchema(plan.sourceSchema)}${read < all ? ` (${read} of ${all} columns)` : ''}`,
        ]
  if (plan.prune !== null) lines.push(`  skips splits that cannot have: ${printExpression(plan.prune)}`)
  const shown = scan.filter(({ kind }) => kind !== 'union')
  if (shown.length > 0) lines.push('every lane', ...shown.map(stage => `  ${printStage(stage)}`))
  if (gathers) lines.push(GATHERED, `  ${mergeText(last as Stage)}`, ...final.map(stage => `  ${printStage(stage)}`))
  lines.push(`output: ${printSchema(plan.output)}`)
  return lines.join('\n')
}

function explainBranches({ sides, branches }: PhysicalPlan, root: PlanNode): string[] {
  const labels = new Map(sourcesOf(root).map(({ id, label }) => [id, label]))
  return [
    ...sides.flatMap(explainSide),
    'union, one input after another',
    ...branches.flatMap(({ source, schema, prune, stages }) => [
      `  ${'side' in source ? `side ${source.side + 1}` : `source ${labels.get(source.id)}`}: ${printSchema(schema)}`,
      ...(prune === null ? [] : [`    skips splits that cannot have: ${printExpression(prune)}`]),
      ...stages.filter(stage => !isFitting(stage)).map(stage => `    ${printStage(stage)}`),
    ]),
  ]
}

/** Whether a stage only puts the columns of an input of a union in order. */
const isFitting = (stage: Stage): boolean =>
  stage.kind === 'project' &&
  stage.verb === 'union' &&
  stage.columns.every(({ expression }) => expression.op === 'column')

/** What is run before: the other side of a join, or an input of a union. */
const explainSide = (side: PlanNode, i: number): string[] => [
  `side ${i + 1}, run first`,
  ...textOf(side)
    .split('\n')
    .map(line => `  ${line}`),
]

function sidesOf(plan: PlanNode): string[] {
  const sides: PlanNode[] = []
  for (let node = plan; node.kind !== 'source'; node = node.input) if (node.kind === 'join') sides.unshift(node.right)
  return sides.flatMap(explainSide)
}

function mergeText(stage: Stage): string {
  if (stage.kind === 'aggregate') return 'merge groups'
  if (stage.kind === 'sample') return 'sampled rows in order'
  if (stage.kind === 'over') return 'all rows side by side'
  return stage.kind === 'sort' ? 'merge sorted rows' : 'first rows in order'
}

/** A project lists the columns that it hands on: after `drop` those that are left, after `aggregate` what is computed from the accumulators. */
const PROJECT_NAMES: Readonly<Record<string, string>> = { drop: 'select', aggregate: 'results' }

function printStage(stage: Stage): string {
  switch (stage.kind) {
    case 'project': {
      const common = printCommon(stage.columns.map(({ expression }) => expression))
      return `${PROJECT_NAMES[stage.verb] ?? stage.verb} ${printColumns(stage.columns)}${common}`
    }
    case 'filter':
      return `filter ${printExpression(stage.predicate)}${printCommon([stage.predicate])}`
    case 'aggregate': {
      // Inputs of an aggregate with a condition are computed for its rows only.
      const common = printCommon(stage.accumulators.flatMap(({ inputs, where }) => (where === null ? inputs : [where])))
      return `aggregate ${printKeys(stage)}${stage.accumulators.map(printAccumulator).join(', ')}${common}`
    }
    case 'sort':
      return `sort by ${stage.orders.map(printOrder).join(', ')}${stage.top === null ? '' : `, top ${stage.top}`}`
    case 'limit':
      return printLimit(stage)
    case 'sample':
      return printSample(stage)
    case 'user':
      return printUser(stage)
    case 'explode':
      return `explode ${printName(stage.column)}`
    case 'unpivot':
      return printUnpivot(stage)
    case 'over':
      return `over ${printPartitions(stage)}: ${stage.calls.map(({ name, label }) => `${name} = ${label}`).join(', ')}`
    case 'union':
      return 'union'
    case 'join':
      return `${printJoin(stage, `side ${stage.side + 1}`)}${printTaken(stage.taken)}`
  }
}

const printUser = ({ verb, module, export: name }: Pick<UserNode, 'verb' | 'module' | 'export'>): string =>
  `${verb} by ${name} of ${short([module])}`

/** What several expressions of a stage have in common. */
function printCommon(expressions: readonly Expression[]): string {
  const { largest } = commonParts(expressions)
  return largest.length === 0 ? '' : `; computed once: ${short(largest.map(printStaged))}`
}

function printJoin(
  { verb, keys, where, asof }: Pick<JoinNode, 'verb' | 'keys' | 'where' | 'asof'>,
  other: string,
): string {
  const pair = ({ left, right }: JoinKey) =>
    left === right ? printName(left) : `${printName(left)} = ${printName(right)}`
  if (asof !== null) {
    const by = keys.length === 0 ? '' : ` by ${keys.map(pair).join(', ')}`
    return `${verb} ${other} on ${pair(asof)} ${asof.direction}${asof.within === null ? '' : ` within ${asof.within}`}${by}`
  }
  const on = keys.map(pair)
  return `${verb} ${other} on ${on.join(', ')}${where === null ? '' : ` where ${printExpression(where)}`}`
}

const printTaken = (taken: readonly TakenColumn[]): string =>
  taken.length === 0
    ? ''
    : `, takes ${taken.map(({ name, column }) => (name === column ? printName(name) : `${printName(name)} = ${printName(column)}`)).join(', ')}`

const printLimit = ({ count, offset }: { readonly count: number; readonly offset: number }): string =>
  `limit ${count}${offset === 0 ? '' : ` after ${offset}`}`

const printSample = ({ count, fraction, seed }: Pick<SampleNode, 'count' | 'fraction' | 'seed'>): string =>
  `sample ${count === null ? `fraction ${fraction}` : `${count} rows`}, seed ${seed}`

const printUnpivot = ({
  on,
  variableName,
  valueName,
}: Pick<UnpivotNode, 'on' | 'variableName' | 'valueName'>): string =>
  `unpivot ${short(on.map(printName))} into ${printName(variableName)}, ${printName(valueName)}`

/** `partition by symbol, order by time, rows from -2 to 0`. */
function printPartitions({ partitionBy, orders, frame }: PrintedOver): string {
  const bound = (value: unknown, edge: string) => (value === null ? edge : String(value))
  return [
    partitionBy.length === 0 ? 'all rows' : `partition by ${partitionBy.map(printName).join(', ')}`,
    ...(orders.length === 0 ? [] : [`order by ${orders.map(printOrder).join(', ')}`]),
    ...(frame === null ? [] : [`${frame.unit} from ${bound(frame.from, 'first')} to ${bound(frame.to, 'last')}`]),
  ].join(', ')
}

/** `watermark time, delay 5s`. */
function printTiming(node: WatermarkNode | EmitNode | LateNode): string {
  if (node.kind === 'late') return 'late rows'
  if (node.kind === 'emit') return `emit ${typeof node.mode === 'string' ? node.mode : `every ${node.mode.every}`}`
  const { column, delay, idleAfter, maxAdvance } = node
  const told = Object.entries({ delay, 'idle after': idleAfter, 'at most': maxAdvance })
  return [
    `watermark ${printName(column)}`,
    ...told.flatMap(([what, text]) => (text === null ? [] : [`${what} ${text}`])),
  ].join(', ')
}

interface PrintedOver {
  readonly partitionBy: readonly string[]
  readonly orders: OverNode['orders']
  readonly frame: { readonly unit: string; readonly from: unknown; readonly to: unknown } | null
}

function printKeys({ keys, sets }: Pick<AggregateNode, 'keys' | 'sets'>): string {
  if (sets !== null) return `by sets ${short(sets.map(set => `(${set.map(printName).join(', ')})`))}: `
  return keys.length === 0 ? '' : `by ${keys.map(printName).join(', ')}: `
}

const printAccumulator = ({ name, function: fn, inputs, parameters, where }: AccumulatorSpec): string =>
  `${name} = ${printAggregate({ op: 'aggregate', function: fn, inputs, parameters, ...(where === null ? {} : { where }) })}`

/** Columns that the planner made by the names that the stage before gives them. */
const printStaged = (expression: Expression): string => printExpression(substitute(expression, name => columnOf(name)))

/** Columns handed through by name alone, computed ones as `name = expression`. */
const printColumns = (columns: readonly NamedExpression[]): string =>
  columns
    .map(({ name, expression }) =>
      expression.op === 'column' && expression.name === name
        ? printName(name)
        : `${printName(name)} = ${printStaged(expression)}`,
    )
    .join(', ')

function verbs(plan: PlanNode): string[] {
  if (plan.kind === 'source') return []
  const before = verbs(plan.input)
  switch (plan.kind) {
    case 'project':
    case 'pending':
      return [...before, `  ${plan.verb} ${printColumns(plan.columns)}`]
    case 'filter':
      return [...before, `  filter ${printExpression(plan.predicate)}`]
    case 'aggregate': {
      const aggregates = plan.aggregates.map(
        ({ name, expression }) => `${printName(name)} = ${printAggregate(expression)}`,
      )
      return [...before, `  aggregate ${printKeys(plan)}${aggregates.join(', ')}`]
    }
    case 'sort':
      return [...before, `  sort by ${plan.orders.map(printOrder).join(', ')}`]
    case 'limit':
      return [...before, `  ${printLimit(plan)}`]
    case 'sample':
      return [...before, `  ${printSample(plan)}`]
    case 'user':
      return [...before, `  ${printUser(plan)}`]
    case 'explode':
      return [...before, `  explode ${printName(plan.column)}`]
    case 'watermark':
    case 'emit':
    case 'late':
      return [...before, `  ${printTiming(plan)}`]
    case 'unpivot':
      return [...before, `  ${printUnpivot(plan)}`]
    case 'over': {
      const columns = plan.columns.map(({ name, expression }) => `${printName(name)} = ${printAggregate(expression)}`)
      return [...before, `  over ${printPartitions(plan)}: ${columns.join(', ')}`]
    }
    case 'distinct':
      return [...before, `  dedupe ${[...plan.keys.map(printName), `within ${plan.within}`].join(', ')}`]
    case 'top':
      return [
        ...before,
        `  topK ${plan.count} by ${[...plan.keys.map(printName), ...plan.orders.map(printOrder)].join(', ')}${plan.window === null ? '' : `, in ${plan.window.spec.kind} windows`}`,
      ]
    case 'union':
      return [...before, `  union with ${plan.others.length} more`]
    case 'join':
      return [...before, `  ${printJoin(plan, `side ${sideNumber(plan)}`)}`]
  }
}

function sideNumber(plan: JoinNode): number {
  let number = 1
  for (let node = plan.input; node.kind !== 'source'; node = node.input) if (node.kind === 'join') number++
  return number
}

function sourceOf(plan: PlanNode): SourceNode {
  if (plan.kind === 'source') return plan
  const isOther = plan.kind === 'late' && plan.of.kind === 'side' && plan.of.side === 1
  return sourceOf(isOther ? (plan.input as JoinNode).right : plan.input)
}
