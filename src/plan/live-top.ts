/** `topK` of groups in a job that goes on: what its operator (operators/live-top.ts) is told. live.ts has the plans that it stands in. */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, int32, type SchemaShape } from '../columnar/type.js'
import { columnOf, selectNode } from './build.js'
import { eventTimeOf, fieldsOf, WINDOW_END, WINDOW_START } from './event-time.js'
import { EMITS, type LiveAggregateSpec, type Made, refusal, WATERMARK, WEIGHT } from './live.js'
import type { EmitMode, PlanNode, TopNode } from './logical.js'
import { physicalPlan } from './planner.js'
import { tiedOrders } from './top.js'
import { bindPlan, boundSchemaOf } from './typing.js'

/** @param windowed an aggregate of nothing over the same windows */
export function topOf(
  node: TopNode,
  input: PlanNode,
  mode: EmitMode,
  ends: string | null,
  isAppended: boolean,
  windowed: () => Made,
): Made {
  if (!isAppended)
    throw refusal(
      'MR_CANNOT_RETRACT',
      'topK',
      'rows of the aggregate before it are taken back as they change, and of a row that leaves the first ones the next is not known; have the windows before close',
    )
  const { count, ties } = node
  const orders = ties === 'last' ? node.orders : tiedOrders(node.orders, eventTimeOf(node.input))
  if (node.window !== null) {
    const made = windowed()
    const aggregate = made.segment.aggregate as LiveAggregateSpec
    const { lateColumns: columns, input: all } = aggregate
    const bounds = fieldsOf(made.output).slice(0, 2)
    return {
      ...made,
      segment: {
        stages: made.segment.stages,
        aggregate: { ...aggregate, fixed: undefined, top: { orders, count, ties, columns } },
      },
      output: rowsWith(bounds, all, columns),
      results: [
        { name: WINDOW_START, expression: columnOf(bounds[0]?.name as string) },
        { name: WINDOW_END, expression: columnOf(bounds[1]?.name as string) },
        ...columns.map(name => ({ name, expression: columnOf(name) })),
      ],
    }
  }
  const schema = boundSchemaOf(input)
  const columns = Object.keys(schema).filter(name => name !== WATERMARK && name !== WEIGHT)
  const narrow = bindPlan(selectNode(input, schema, columns), null)
  const isClosing = ends !== null && node.keys.includes(ends) && mode === 'close'
  return {
    segment: {
      stages: physicalPlan(narrow),
      aggregate: {
        keys: isClosing ? [ends, ...node.keys.filter(name => name !== ends)] : node.keys,
        accumulators: [],
        input: boundSchemaOf(narrow),
        windows: isClosing ? 'ends' : 'none',
        isEndOnly: isClosing,
        lateness: 0n,
        emits: EMITS(mode),
        weight: null,
        time: '',
        kept: null,
        lateColumns: [],
        givesLate: false,
        top: { orders, count, ties, columns },
      },
    },
    output: rowsWith([], schema, columns),
    results: columns.map(name => ({ name, expression: columnOf(name) })),
    ends: isClosing ? ends : null,
    isAppended: isClosing,
  }
}

const rowsWith = (
  bounds: readonly { readonly name: string; readonly type: DataType }[],
  input: SchemaShape,
  columns: readonly string[],
): SchemaShape =>
  schemaOf([
    ...bounds,
    ...columns.map(name => ({ name, type: input[name] as DataType })),
    { name: WEIGHT, type: int32() },
  ])
