/**
 * Plans of jobs that go on: a plan is cut at its lowest watermark, or where there is none at its lowest aggregate. What is below runs as any plan does, and its rows go
 * through segments of what is above: stateless stages, then an aggregate that gives groups as they close or change. Columns of the segments' own, called `#...`, carry what
 * rows need along: the watermark as each came, and behind an aggregate weights.
 */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, int32, type SchemaShape } from '../columnar/type.js'
import { type ErrorCode, MillraceError, quote } from '../errors.js'
import { literalOf } from '../expressions/literal.js'
import type { Expression, OrderKey } from '../expressions/node.js'
import { collectColumns } from '../expressions/walk.js'
import { accumulate } from './accumulate.js'
import { columnOf, deriveNode, projectNode, selectNode, sourceNode } from './build.js'
import { call, not } from './cleaning.js'
import { nanosecondsOf } from './duration.js'
import { byEventTime, END, fieldsOf, START, ticksOf, WINDOW_END, WINDOW_START, windowRules } from './event-time.js'
import { dedupeAt, distinctOf, lastOf } from './live-distinct.js'
import { overOf, runsOn, seesAllRows } from './live-over.js'
import { topOf } from './live-top.js'
import type { AggregateNode, EmitMode, NamedExpression, Panes, PlanNode, WatermarkNode, Windowing } from './logical.js'
import { type PlanPart, partsFor } from './needs.js'
import type { AccumulatorSpec, OverCall, PhysicalPlan, RowFrame, Stage } from './physical.js'
import { physicalPlan } from './planner.js'
import { bindPlan, boundSchemaOf } from './typing.js'
import { groupsOf } from './window-rows.js'
import { added, aligned, panesOf } from './windows.js'

export const WATERMARK = '#watermark'
export const WEIGHT = '#weight'
export const KEPT = '#kept'
const TIME = '#time'

/** What a job that goes on runs below, as any plan, and above, row by row. */
export interface LiveCut {
  readonly before: PlanNode
  /** From the cut up. */
  readonly nodes: readonly Exclude<PlanNode, { kind: 'source' }>[]
}

/** Where a plan is cut; null where it need not be: nothing in it closes, changes or is late, or it ends and what is above has no row to give before. */
export function liveCut(plan: PlanNode, isEndless: boolean): LiveCut | null {
  const chain: LiveNode[] = []
  let node = plan
  for (; node.kind !== 'source' && node.kind !== 'union'; node = node.input) chain.unshift(node)
  // What must see all rows of a flow that ends has them.
  const waits = chain.some(isOfAll)
  const marked = chain.findIndex(({ kind }) => kind === 'watermark')
  const limited = chain.findIndex(({ kind }) => kind === 'limit')
  const untilLimit = limited < 0 ? chain : chain.slice(0, limited)
  // Refused.
  const waitsForEver =
    isEndless && marked >= 0 && untilLimit.slice(marked + 1).some(node => seesAll(node) && node.kind !== 'user')
  const isLive =
    waitsForEver ||
    chain.some(
      each =>
        each.kind === 'emit' ||
        each.kind === 'late' ||
        each.kind === 'distinct' ||
        (each.kind === 'over' && (isEndless || (runsOn(each) && !waits))) ||
        ((each.kind === 'aggregate' || each.kind === 'top') && (each.window !== null || isEndless)),
    )
  if (!isLive) return null
  const at =
    marked >= 0 ? marked : chain.findIndex(({ kind }) => kind === 'aggregate' || kind === 'top' || kind === 'over')
  if (at < 0) return null
  const nodes = chain.slice(at)
  return !isEndless && givesAtEnd(nodes) ? null : { before: chain[at]?.input as PlanNode, nodes }
}

type LiveNode = LiveCut['nodes'][number]

/** Whether results of a flow that ends are there when all rows are, and nobody asked for them to be told as they change, or for late rows: of `all` that there is. */
export const givesAtEnd = (nodes: readonly LiveNode[], all = nodes): boolean =>
  nodes.some(seesAll) && !all.some(each => each.kind === 'late' || (each.kind === 'emit' && each.mode !== 'close'))

const isOfAll = ({ kind }: LiveNode): boolean => kind in VERBS || kind === 'limit' || kind === 'sample'

/** Whether a verb has no row to give before it has seen all. */
const seesAll = (node: LiveNode): boolean =>
  isOfAll(node) ||
  (node.kind === 'join' && (node.how === 'right' || node.how === 'full')) ||
  (node.kind === 'aggregate' && node.sets !== null) ||
  (node.kind === 'over' && seesAllRows(node))

export interface LiveSegment {
  /** Stateless: `scan` alone has stages. */
  readonly stages: PhysicalPlan
  readonly aggregate: LiveAggregateSpec | null
  /** Where windows are of one length, or panes are: the stages without the columns of windows and watermark, for rows of which none can be late. */
  readonly timed?: PhysicalPlan | undefined
}

export interface LiveAggregateSpec {
  readonly keys: readonly string[]
  readonly accumulators: readonly AccumulatorSpec[]
  /** What it consumes. */
  readonly input: SchemaShape
  readonly windows:
    | 'none'
    | 'ends'
    | Panes
    | { readonly kind: 'session'; readonly gap: bigint }
    | { readonly kind: 'rowCount'; readonly count: number }
  readonly isEndOnly: boolean
  /** Of windows of one length, which and from where on, in ticks. */
  readonly fixed?: { readonly size: bigint; readonly offset: bigint } | undefined
  readonly lateness: bigint
  readonly emits: 'changes' | 'kept' | 'closed'
  readonly weight: string | null
  /** The event time without nulls. */
  readonly time: string
  /** A column of the input, whether a row is in time; null: all are. */
  readonly kept: string | null
  /** Of the input, as they went into the window: what `late` gives. */
  readonly lateColumns: readonly string[]
  /** Whether late rows go on, in the place of results. */
  readonly givesLate: boolean
  /** Rows are given in the place of aggregates of them. */
  readonly top?: TopSpec | undefined
  /** Rows go on in the place of aggregates of them. */
  readonly distinct?: DistinctSpec | undefined
  /** Rows go on once what is said of them is known. */
  readonly over?: LiveOverSpec | undefined
}
/** What is said of rows among others of their keys. */
export interface LiveOverSpec {
  /** By the event time; by the end of the window that they are results of; as they come. */
  readonly order: 'time' | 'ends' | 'arrival'
  /** Of aggregates; null where there are none. */
  readonly frame: RowFrame | null
  /** Rows behind a row that it waits for. */
  readonly rowsAhead: number
  readonly calls: readonly OverCall[]
  /** Of the input, that are handed on. */
  readonly columns: readonly string[]
  /** These, and the calls. */
  readonly output: SchemaShape
}
/** The first rows of each group in an order, with these columns. */
export interface TopSpec {
  readonly orders: readonly OrderKey[]
  readonly count: number
  readonly ties?: 'last' | undefined
  readonly columns: readonly string[]
}
/** Rows but those of which one with equal keys has come before, within so many ticks, or at all; with these columns. */
export interface DistinctSpec {
  readonly within: bigint | null
  readonly columns: readonly string[]
}

export interface LivePlan {
  /** What happens to rows before all this where that is no job of its own: steps-before.ts. Where it is not said, rows have come out of it. */
  readonly before?: PhysicalPlan | undefined
  /** How the watermark goes, in ticks of its column. */
  readonly watermark: { readonly column: string; readonly delay: bigint; readonly maxAdvance: bigint | null } | null
  readonly segments: readonly LiveSegment[]
  /** How often, by the clock, in milliseconds, what has changed is given; null: nothing waits for it. */
  readonly everyMs: number | null
  readonly output: SchemaShape
  readonly parts: readonly PlanPart[]
}

/** Where the rows of a plan come from. */
export interface LiveStart {
  readonly before?: PhysicalPlan | undefined
  /** Where they have the end of a window that is about to close. */
  readonly ends?: string | null
}

/**
 * @param keepsMarks whether what comes out goes on to where inputs meet, and has the watermark of each row as its last column
 * @throws MillraceError `MR_UNBOUNDED` for a verb that must see all rows, `MR_CANNOT_RETRACT` for an aggregate over rows that may be taken back
 */
export function livePlan(
  { nodes }: Pick<LiveCut, 'nodes'>,
  input: SchemaShape,
  keepsMarks = false,
  start: LiveStart = {},
): LivePlan {
  const segments: LiveSegment[] = []
  const marked = nodes[0]?.kind === 'watermark' ? nodes[0] : null
  const given = outputOf(nodes, input)
  let carried: readonly string[] = marked === null ? [] : [WATERMARK]
  const schema =
    marked === null ? input : schemaOf([...fieldsOf(input), { name: WATERMARK, type: instantOf(input[marked.column]) }])
  let current: PlanNode = sourceNode(0, 'live', schema)
  let time: string | null = null
  /** A column that has the end of closed windows, in order. */
  let ends: string | null = start.ends ?? null
  let isAppended = true
  /** Whether rows come in no order of their times that anyone knows. */
  let isDisordered = false
  let everyMs: number | null = null
  /** Nodes up to this one are done. */
  let passed = -1
  for (const [i, node] of nodes.entries()) {
    if (i <= passed) continue
    switch (node.kind) {
      case 'watermark':
        if (i > 0) {
          current = bound(inOrderOfEnds(current, node, carried, ends))
          carried = [...carried, WATERMARK]
        }
        time = node.column
        break
      case 'emit':
        break
      case 'project':
      case 'filter':
      case 'pending':
      case 'explode':
      case 'unpivot': {
        // What is repeated is said by name.
        const given =
          node.kind === 'unpivot' && node.index !== null ? { ...node, index: [...node.index, ...carried] } : node
        const bare = bound({ ...given, input: current } as PlanNode)
        time = movedTo(bare, time)
        ends = movedTo(bare, ends)
        current = bare.kind === 'project' ? bound(carrying(bare, carried)) : bare
        break
      }
      case 'join': {
        if (node.how === 'right' || node.how === 'full')
          throw unbounded(
            node.verb,
            'which rows of the other flow have no partner is known when all rows have come, and this flow runs on; join them the other way round, or in windows',
          )
        // Nothing is kept of the left rows, and the columns of the segment's own are among theirs.
        current = bound({ ...node, input: current })
        time = movedTo(current, time)
        ends = movedTo(current, ends)
        break
      }
      case 'late':
      case 'top':
      case 'distinct':
      case 'over':
      case 'aggregate': {
        const said = node.kind === 'late' ? node.of : node
        const wasDisordered = isDisordered
        if (node.kind === 'late') isDisordered = true
        if (said.kind === 'side') throw new Error('late rows of a join are its own to give')
        if (said.kind === 'over') {
          const made = overOf(said, current, time, ends, isAppended)
          if (node.kind === 'late') {
            const aggregate = { ...(made.segment.aggregate as LiveAggregateSpec), givesLate: true }
            const late = boundSchemaOf(current)
            segments.push({ ...made.segment, aggregate })
            current = lateSource(aggregate, late)
            carried = []
            time = null
            ends = null
            break
          }
          segments.push(made.segment)
          current = bound(projectNode(sourceNode(0, 'live', made.output), 'over', made.results))
          if (!made.isTimed && carried.includes(WATERMARK)) {
            isDisordered = true
            carried = carried.filter(name => name !== WATERMARK)
            time = null
          }
          if (said.columns.some(({ name }) => name === time)) time = null
          if (said.columns.some(({ name }) => name === ends)) ends = null
          break
        }
        const dedupe = node.kind === 'aggregate' && node.window === null ? dedupeAt(nodes, i) : null
        if (wasDisordered && (said.kind === 'distinct' || said.window !== null))
          throw unbounded(
            said.kind === 'distinct' ? 'dedupe' : 'window',
            'rows that are late, and those of an over without an order that wait for rows behind them, come in no order of time; order it by the event time',
          )
        if (dedupe !== null) current = bound(withOneZeros(current))
        if (said.kind === 'distinct' || (said.kind === 'aggregate' && dedupe?.keep === 'first')) {
          const made = distinctOf(said, current, isAppended)
          const { segment } = made
          if (node.kind === 'late') {
            const aggregate = { ...(segment.aggregate as LiveAggregateSpec), givesLate: true }
            segments.push({ ...segment, aggregate })
            current = lateSource(aggregate, made.output)
            carried = []
            time = null
            ends = null
          } else {
            segments.push(segment)
            current = sourceNode(0, 'live', made.output)
          }
          passed = dedupe === null ? i : i + dedupe.length
          break
        }
        if (dedupe !== null) passed = i + dedupe.length
        const of = dedupe === null ? said : lastOf(current, said as AggregateNode)
        const mode = modeOf(nodes.slice(i + 1), of, ends)
        if (typeof mode === 'object') everyMs = Number(nanosecondsOf(mode.every, 'emit')) / 1e6
        const made: Made =
          of.kind === 'top'
            ? topOf(of, current, mode, ends, isAppended, () =>
                windowedAggregate(current, groupsOf(of), of.window as Windowing, mode, carried),
              )
            : of.window === null
              ? plainAggregate(current, of, mode, ends, isAppended ? null : WEIGHT, time)
              : windowedAggregate(current, of, of.window, mode, carried)
        time = null
        if (node.kind === 'late') {
          const late = boundSchemaOf(current)
          const aggregate = { ...(made.segment.aggregate as LiveAggregateSpec), givesLate: true }
          segments.push({ ...made.segment, aggregate })
          current = lateSource(aggregate, late)
          carried = []
          ends = null
          break
        }
        // Only the first has rows of which none is asked.
        segments.push(segments.length === 0 ? made.segment : { ...made.segment, timed: undefined })
        carried = [WEIGHT]
        isAppended = made.isAppended
        ends = made.ends
        current = bound(projectNode(sourceNode(0, 'live', made.output), 'aggregate', [...made.results, plain(WEIGHT)]))
        break
      }
      default:
        if (node.kind === 'user')
          throw unbounded(
            node.verb,
            'lanes call functions of modules, and rows behind a watermark, or of groups that change, have left them, for this flow runs on; put it before these, or collect the flow',
          )
        throw unbounded(
          VERBS[node.kind] ?? node.kind,
          node.kind === 'limit'
            ? 'which rows are the first is known of windows that close once, as the last verb but for select and derive, and this flow runs on; put it there, collect it, or take it away'
            : 'it must see all rows, or another input whole, and this flow runs on; collect it, or take it away',
        )
    }
  }
  if (keepsMarks && !carried.includes(WATERMARK))
    throw unbounded('union', 'results of windows and groups do not meet other rows while the flow runs on')
  const output = keepsMarks
    ? schemaOf([...fieldsOf(given), { name: WATERMARK, type: boundSchemaOf(current)[WATERMARK] as DataType }])
    : given
  segments.push({ stages: physicalPlan(current), aggregate: null })
  const { before } = start
  const parts = segments.flatMap(({ stages, aggregate }) =>
    partsFor(aggregate === null ? stages : { ...stages, scan: [...stages.scan, stageOf(aggregate)] }, 0),
  )
  if (before !== undefined) parts.push(...partsFor(before, 0))
  return {
    before,
    watermark:
      marked === null
        ? null
        : {
            column: marked.column,
            delay: marked.delay === null ? 0n : ticksOf(marked.delay, input[marked.column] as DataType, 'watermark'),
            maxAdvance:
              marked.maxAdvance === null
                ? null
                : ticksOf(marked.maxAdvance, input[marked.column] as DataType, 'watermark'),
          },
    segments,
    everyMs,
    output,
    parts: [...new Set(parts)],
  }
}

/** Of the columns that come, those that anything is done with; one at least, to have rows by. */
export function columnsRead({ segments: [first], watermark }: LivePlan, schema: SchemaShape): string[] {
  const { stages, timed } = first as LiveSegment
  const read = new Set([...stages.sourceColumns, ...(timed?.sourceColumns ?? []), watermark?.column])
  const names = Object.keys(schema)
  const wanted = names.filter(name => read.has(name))
  return wanted.length > 0 ? wanted : names.slice(0, 1)
}

/** Results of windows that close come in the order of their ends: these may be their event time, and are the watermark as each came. */
function inOrderOfEnds(
  input: PlanNode,
  { column, maxAdvance }: WatermarkNode,
  carried: readonly string[],
  ends: string | null,
): PlanNode {
  if (carried.includes(WATERMARK))
    throw unbounded('watermark', 'a flow that runs on has one; say it once, before the first window')
  if (column !== ends)
    throw unbounded(
      'watermark',
      `rows behind an aggregate have the ends of windows that close for their event time${ends === null ? '' : `, which is ${quote(ends)} here`}, and nothing is known of ${quote(column)}; say it once, before the first window, or of windowEnd`,
    )
  if (maxAdvance !== null) throw unbounded('watermark', 'windows that have closed are in order; take maxAdvance away')
  return deriveNode(input, boundSchemaOf(input), [{ name: WATERMARK, expression: columnOf(column) }])
}

const lateSource = ({ lateColumns }: LiveAggregateSpec, schema: SchemaShape): PlanNode =>
  sourceNode(0, 'live', schemaOf(lateColumns.map(name => ({ name, type: schema[name] as DataType }))))

const VERBS: Readonly<Record<string, string>> = { sort: 'orderBy', user: 'map' }

function outputOf(nodes: LiveCut['nodes'], input: SchemaShape): SchemaShape {
  let plan: PlanNode = sourceNode(0, 'live', input)
  for (const node of nodes) plan = Object.freeze({ ...node, input: plan }) as PlanNode
  return boundSchemaOf(bound(plan))
}

const bound = (plan: PlanNode): PlanNode => bindPlan(plan, null)

/** Rows of which one of each key stays: collected they are groups, and results hold one zero. */
function withOneZeros(input: PlanNode): PlanNode {
  const schema = boundSchemaOf(input)
  const floats = Object.entries(schema).filter(([, { kind }]) => kind === 'float64' || kind === 'float32')
  if (floats.length === 0) return input
  return deriveNode(
    input,
    schema,
    floats.map(([name, type]): NamedExpression => {
      const column = columnOf(name)
      const zero = literalOf(0, { ...type, nullable: false } as DataType)
      return { name, expression: call('when', { op: 'eq', left: column, right: zero }, zero, column) }
    }),
  )
}

/** A project that hands on columns of the segment's too. */
function carrying(node: PlanNode & { kind: 'project' }, names: readonly string[]): PlanNode {
  return projectNode(node.input, node.verb, [...node.columns, ...names.map(plain)])
}

const plain = (name: string): NamedExpression => ({ name, expression: columnOf(name) })

/** What a column is called after a node; null where it is gone. */
function movedTo(node: PlanNode, name: string | null): string | null {
  if (name === null) return null
  if (node.kind !== 'project') return Object.hasOwn(boundSchemaOf(node), name) ? name : null
  return node.columns.find(({ expression }) => isColumn(expression, name))?.name ?? null
}

/** Also where it has no nulls any more. */
export const isColumn = (expression: Expression, name: string): boolean =>
  expression.op === 'call' && expression.function === 'coalesce'
    ? isColumn(expression.inputs[0] as Expression, name)
    : expression.op === 'column' && expression.name === name

/** That of the nearest `emit` behind an aggregate and before the next. */
function modeOf(after: LiveCut['nodes'], node: Pick<AggregateNode, 'window' | 'keys'>, ends: string | null): EmitMode {
  for (const each of after) {
    if (each.kind === 'aggregate' || each.kind === 'top') break
    if (each.kind === 'emit') return each.mode
  }
  return node.window !== null || (ends !== null && node.keys.includes(ends)) ? 'close' : 'change'
}

export interface Made {
  readonly segment: LiveSegment
  /** Keys and accumulators, and the weight. */
  readonly output: SchemaShape
  /** Of these. */
  readonly results: readonly NamedExpression[]
  readonly ends: string | null
  /** Whether no row that is given is ever taken back. */
  readonly isAppended: boolean
}

export const EMITS = (mode: EmitMode): LiveAggregateSpec['emits'] =>
  mode === 'close' ? 'closed' : mode === 'change' ? 'changes' : 'kept'

/** Aggregates that rows can be taken back from (kernels/aggregate). */
const RETRACTABLE: readonly string[] = [
  ...['count', 'sum', 'mean', 'variance', 'stddev', 'covariance', 'correlation', 'slope'],
  ...['countDistinct', 'mode', 'histogram', 'approxQuantile'],
]

function plainAggregate(
  input: PlanNode,
  node: AggregateNode,
  mode: EmitMode,
  ends: string | null,
  weight: string | null,
  time: string | null,
): Made {
  if (node.sets !== null)
    throw unbounded('rollup', 'sets of keys are of all rows, and this flow runs on; group by one of them')
  const schema = boundSchemaOf(input)
  const isClosing = ends !== null && weight === null && node.keys.includes(ends) && mode === 'close'
  const keys = isClosing ? [ends, ...node.keys.filter(name => name !== ends)] : node.keys
  const timed = byEventTime(node, time, schema)
  const { accumulators, accumulated, columns } = accumulate({ ...timed, keys }, schema)
  if (weight !== null) {
    for (const { function: name, label } of accumulators) {
      if (RETRACTABLE.includes(name)) continue
      throw refusal(
        'MR_CANNOT_RETRACT',
        'aggregate',
        `${label} cannot take rows back, and rows of the aggregate before it are taken back as they change; use count, sum, mean, variance and their like, or have the windows before close`,
      )
    }
  }
  const needed = neededBy(keys, accumulators, weight === null ? [] : [weight])
  const narrow = needed.length === 0 ? input : bound(selectNode(input, schema, needed))
  return {
    segment: {
      stages: physicalPlan(narrow),
      aggregate: {
        keys,
        accumulators,
        input: boundSchemaOf(narrow),
        windows: isClosing ? 'ends' : 'none',
        isEndOnly: isClosing,
        lateness: 0n,
        emits: EMITS(mode),
        weight,
        time: '',
        kept: null,
        lateColumns: [],
        givesLate: false,
      },
    },
    output: schemaOf([...fieldsOf(accumulated), { name: WEIGHT, type: int32() }]),
    results: columns,
    ends: isClosing ? ends : null,
    isAppended: isClosing,
  }
}

function windowedAggregate(
  input: PlanNode,
  node: AggregateNode,
  window: Windowing,
  mode: EmitMode,
  carried: readonly string[],
): Made {
  const { spec, time: column, allowedLateness } = window
  if (!carried.includes(WATERMARK))
    throw unbounded(
      'window',
      'windows of an aggregate’s results are not kept while the flow runs on; group by windowEnd in its place',
    )
  const before = boundSchemaOf(input)
  const type = before[column] as DataType
  const instant = { ...type, nullable: false } as DataType
  const lateness = allowedLateness === null ? 0n : ticksOf(allowedLateness, type, 'window')
  const known: Expression = not({ op: 'isNull', input: columnOf(column) })
  const timedPlan = bound(
    deriveNode(input, before, [
      {
        name: TIME,
        expression: type.nullable ? call('coalesce', columnOf(column), literalOf(0n, instant)) : columnOf(column),
      },
    ]),
  )
  const time = columnOf(TIME)
  const start = columnOf(START)
  const derived: NamedExpression[] = []
  let windows: LiveAggregateSpec['windows'] = 'ends'
  let own: string[] = []
  let last: Expression | null = null
  if (spec.kind === 'tumbling') {
    const bounds = windowRules().bounds(spec, time)
    derived.push({ name: START, expression: bounds.start }, { name: END, expression: bounds.end })
    own = [START, END]
    last = columnOf(END)
  } else if (spec.kind === 'sliding' || spec.kind === 'cumulative') {
    windows = panesOf(spec, type)
    derived.push({
      name: START,
      expression: aligned(time, spec.kind === 'sliding' ? spec.every : spec.step, spec.offset),
    })
    own = [START]
    last = added(spec.kind === 'sliding' ? start : aligned(time, spec.size, spec.offset), spec.size)
  } else if (spec.kind === 'session') windows = { kind: 'session', gap: ticksOf(spec.gap, type, 'session') }
  else windows = { kind: 'rowCount', count: spec.count }
  const assigned = bound(deriveNode(timedPlan, boundSchemaOf(timedPlan), derived.length === 0 ? [] : derived))
  // Windows of so many rows are late for no time, but a row from further ahead than it may be is late whatever its windows are.
  if (spec.kind === 'rowCount') last = literalOf(MOST, instant)
  else if (last !== null && allowedLateness !== null) last = added(last, allowedLateness)
  const inTime: Expression =
    last === null ? known : { op: 'and', left: known, right: { op: 'lt', left: columnOf(WATERMARK), right: last } }
  const judged = bound(
    deriveNode(assigned, boundSchemaOf(assigned), [
      { name: KEPT, expression: call('coalesce', inTime, { op: 'literal', value: false }) },
    ]),
  )
  const schema = boundSchemaOf(judged)
  const keys = [...own, ...node.keys]
  const timed = byEventTime(node, TIME, schema)
  // Keyed even where there are no keys: there is a group only where there is a row.
  const { accumulators, accumulated, columns } = accumulate(
    { ...timed, keys: own.length === 0 ? [TIME, ...node.keys] : keys },
    schema,
  )
  const isOwn = (name: string) => own.includes(name) || name === TIME
  const bounds = [START, END].map(name => ({ name, type: instant }))
  const lateColumns = Object.keys(before).filter(name => name !== WATERMARK && name !== WEIGHT)
  const isOnce = mode === 'close' && lateness === 0n
  const fixed = isOnce ? windowRules().fixed(spec, type) : undefined
  const isPlain = fixed !== undefined || (isOnce && typeof windows === 'object' && 'pane' in windows)
  const bare =
    isPlain && bound(selectNode(timedPlan, boundSchemaOf(timedPlan), neededBy(node.keys, accumulators, [TIME])))
  const needed = new Set([...neededBy(keys, accumulators, [TIME, WATERMARK, KEPT]), ...lateColumns])
  const narrow = bound(selectNode(judged, schema, [...needed]))
  return {
    segment: {
      stages: physicalPlan(narrow),
      timed: bare ? physicalPlan(bare) : undefined,
      aggregate: {
        keys,
        accumulators,
        input: boundSchemaOf(narrow),
        windows,
        isEndOnly: false,
        fixed,
        lateness,
        emits: EMITS(mode),
        weight: null,
        time: TIME,
        kept: KEPT,
        lateColumns,
        givesLate: false,
      },
    },
    output: schemaOf([
      ...bounds,
      ...fieldsOf(accumulated).filter(({ name }) => !isOwn(name)),
      { name: WEIGHT, type: int32() },
    ]),
    results: [
      { name: WINDOW_START, expression: columnOf(START) },
      { name: WINDOW_END, expression: columnOf(END) },
      ...columns.filter(({ name }) => !isOwn(name)),
    ],
    ends: spec.kind === 'rowCount' || mode !== 'close' || lateness > 0n ? null : WINDOW_END,
    isAppended: mode === 'close' && lateness === 0n,
  }
}

function neededBy(
  keys: readonly string[],
  accumulators: readonly AccumulatorSpec[],
  others: readonly string[],
): string[] {
  const names = new Set([...keys, ...others])
  for (const { inputs, where } of accumulators) {
    for (const input of inputs) collectColumns(input, names)
    if (where !== null) collectColumns(where, names)
  }
  return [...names]
}

/** For what lanes load. */
function stageOf({ keys, accumulators, input, over }: LiveAggregateSpec): Stage {
  if (over !== undefined)
    return {
      kind: 'over',
      partitionBy: keys,
      orders: [],
      frame: over.frame ?? ROWS,
      calls: over.calls,
      output: over.output,
    }
  return { kind: 'aggregate', keys, sets: null, panes: null, accumulators, output: input }
}

const MOST = 2n ** 63n - 1n
const ROWS: RowFrame = { unit: 'rows', from: null, to: 0 }

const instantOf = (type: DataType | undefined): DataType => ({ ...(type as DataType), nullable: false })

const unbounded = (operator: string, text: string): MillraceError => refusal('MR_UNBOUNDED', operator, text)

export const refusal = (code: ErrorCode, operator: string, text: string): MillraceError =>
  new MillraceError(code, `${operator}: ${text}`, { operator })
