/**
 * `defineAggregate`: a user's own aggregate. Functions cannot travel to the lanes: these list the values of each group, and the calling thread
 * goes through the lists. So a flow with one is a flow over the table that this leaves, whose source runs what comes before (sources/source.ts).
 */
import type { Column } from '../columnar/column.js'
import type { CellInput } from '../columnar/infer.js'
import { type InputReader, openColumns } from '../columnar/input.js'
import { MORSEL_ROWS, RecordBatch } from '../columnar/record-batch.js'
import { fieldsOf, isType, schemaOf } from '../columnar/schema.js'
import { Table } from '../columnar/table.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import { isPromise, thrownText } from '../columnar/user-failure.js'
import { MillraceError, quote } from '../errors.js'
import type { AggregateCall, AggregateExpression, Expression } from '../expressions/node.js'
import { printAggregate, printName } from '../expressions/print.js'
import { aggregateNode, columnOf, projectNode } from '../plan/build.js'
import type { AggregateNode, NamedAggregate } from '../plan/logical.js'
import { tableSource } from '../sources/memory.js'
import type { Source } from '../sources/source.js'
import { type AggregateExpr, aggregateCall, usersIn } from './aggregate-expr.js'
import { Flow, flowOf } from './flow.js'
import type { Expr, ScalarFamily } from './handles.js'
import { mismatch, show } from './refusal.js'
import type { TypeOfCells } from './types.js'

/** How a user's own aggregate works. `Values` are those of one row, one for each expression that it is called with. */
export interface AggregateDefinition<State, Values extends readonly any[], Output, T extends DataType = DataType> {
  /** The state before any row. */
  readonly init: () => State
  /** The state after one more row: a new one, or the same one, changed, where nothing is returned. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is of type void.
  readonly update: (state: State, ...values: Values) => State | void
  /** Two states as one: that of the earlier rows, then that of those after them. */
  readonly merge: (earlier: State, later: State) => State
  readonly evaluate: (state: State) => Output
  /** Type of the result; inferred from the results, as by `columns`, where it is left out. */
  readonly type?: T
  /** Names it in `explain` and in errors. */
  readonly name?: string
}

/** What it is called with, and what comes of it. */
export type UserAggregate<Values extends readonly any[], T extends DataType> = (
  // An `update` that looks at no value still needs to be told which rows count.
  ...expressions: Values extends readonly []
    ? readonly Expr<any, ScalarFamily>[]
    : { readonly [I in keyof Values]: Expr<any, ScalarFamily> }
) => AggregateExpr<T, T>

/**
 * An aggregate of one's own, used like the others. Values come as JavaScript has them, group by group, in row order; rows where one of them is null do not
 * count, and a group without rows gives what `evaluate` makes of `init()`. It runs in the calling thread, once the lanes have listed the values of every group: each
 * 65,536 rows make a state, and these are merged in order.
 *
 * ```ts
 * const geometricMean = defineAggregate({
 *   name: 'geometricMean',
 *   init: () => ({ logs: 0, rows: 0 }),
 *   update(state, value: number) {
 *     state.logs += Math.log(value)
 *     state.rows++
 *   },
 *   merge: (a, b) => ({ logs: a.logs + b.logs, rows: a.rows + b.rows }),
 *   evaluate: ({ logs, rows }) => (rows === 0 ? null : Math.exp(logs / rows)),
 *   type: nullable(float64()),
 * })
 * show(await flow.groupBy('symbol').aggregate(t => ({ mean: geometricMean(t.price) })).collect())
 * ```
 * @throws MillraceError `MR_TYPE_MISMATCH`; the terminal too where a result is not of the type, `MR_UNSAFE_INTEGER` for an int64 that is no safe number,
 * `MR_USER_CODE_FAILED` where a function throws, with the group, the value of the group that it was called with, and what it threw as the cause
 */
export function defineAggregate<State, Values extends readonly any[], Output, T extends DataType = TypeOfCells<Output>>(
  definition: AggregateDefinition<State, Values, Output, T>,
): UserAggregate<Values, T> {
  const example = '{ init, update, merge, evaluate }'
  if (typeof definition !== 'object' || definition === null)
    throw mismatch('defineAggregate', `defineAggregate takes an object ${example}, not ${show(definition)}`)
  for (const part of ['init', 'update', 'merge', 'evaluate'] as const) {
    if (typeof definition[part] !== 'function')
      throw mismatch('defineAggregate', `${part} is a function, in ${example}, not ${show(definition[part])}`)
  }
  const { type, name = 'defineAggregate' } = definition
  if (typeof name !== 'string') throw mismatch('defineAggregate', `name is a string, not ${show(name)}`)
  if (type !== undefined && !isType(type))
    throw mismatch('defineAggregate', `type is a column type such as float64(), not ${show(type)}`)
  const user: UserDefinition = Object.freeze({ name, lower, definition: definition as unknown as Definition })
  return (...expressions) => {
    if (expressions.length === 0) throw mismatch(name, `${name} takes an expression, as in ${name}(t.x)`)
    return aggregateCall('collectList', expressions, undefined, user)
  }
}

type Definition = AggregateDefinition<unknown, readonly unknown[], unknown>

/** What stands in the tree of a handle: functions, which no plan holds. */
export interface UserDefinition {
  readonly name: string
  readonly definition: object
  /** Of several, what aggregates a flow is that of private ones, which keep no company but their own. */
  readonly isPrivate?: true
  readonly lower: Lowering
}

/** Aggregates a flow by aggregates of which some are no plan's. */
export type Lowering = (
  flow: Flow,
  keys: readonly string[],
  aggregates: readonly NamedAggregate[],
  sets: AggregateNode['sets'],
  verb: string,
) => Flow

/** One user's aggregate among those of an `aggregate`. */
interface Step {
  readonly definition: Definition
  /** What the user calls it, and the result that it goes into, for errors. */
  readonly called: string
  readonly result: string
  /** The columns of lists that it goes through, side by side. */
  readonly lists: readonly string[]
  /** The column that it becomes. */
  readonly name: string
}

/** `flow` aggregated, where some of `aggregates` are users': lists in the lanes, then the steps, then arithmetic and the order of the columns. */
function lower(
  flow: Flow,
  keys: readonly string[],
  aggregates: readonly NamedAggregate[],
  sets: AggregateNode['sets'],
  verb: string,
): Flow {
  // For its checks of names.
  aggregateNode(flow.plan, flow.schema, keys, aggregates, sets, verb)
  const listed: NamedAggregate[] = []
  const steps: Step[] = []
  const taken = new Set([...keys, ...aggregates.map(({ name }) => name)])
  const fresh = (): string => {
    let name = `#${taken.size}`
    while (taken.has(name)) name += '#'
    taken.add(name)
    return name
  }
  const compute = (expression: AggregateExpression, name = fresh()): Expression => {
    listed.push({ name, expression })
    return columnOf(name, printAggregate(expression))
  }
  const columnFor = (node: AggregateExpression, result: string): Expression => {
    if (node.op === 'literal') return node
    if (node.op !== 'aggregate') return binary(node.op, columnFor(node.left, result), columnFor(node.right, result))
    const user = node.definition as UserDefinition | undefined
    if (user === undefined) return compute(node)
    const lists = listsOf(node).map(list => (compute(list) as { name: string }).name)
    const name = fresh()
    steps.push({ definition: user.definition as Definition, called: user.name, result, lists, name })
    return columnOf(name, printAggregate(node))
  }
  const results = aggregates.map(({ name, expression }) => {
    if (usersIn(expression).length === 0) return { name, expression: compute(expression, name) }
    const column = columnFor(expression, name)
    // Results hold one zero: adding +0 turns -0 into it and leaves all else.
    return { name, expression: 'left' in column ? binary('add', column, ZERO) : column }
  })
  const inner = new Flow(aggregateNode(flow.plan, flow.schema, keys, listed, sets, verb), flow.sources)
  const label = aggregates
    .filter(({ expression }) => usersIn(expression).length > 0)
    .map(({ name, expression }) => `${printName(name)} = ${printAggregate(expression)}`)
    .join(', ')
  const { plan, sources } = flowOf(stepped(inner, steps, keys, label))
  const columns = [...keys.map(name => ({ name, expression: columnOf(name) })), ...results]
  return new Flow(projectNode(plan, 'aggregate', columns), sources)
}

const binary = (op: 'add' | 'sub' | 'mul' | 'div', left: Expression, right: Expression): Expression =>
  Object.freeze({ op, left, right })
const ZERO: Expression = Object.freeze({ op: 'literal', value: 0 })

/** A list for each input, of the rows where no input is null. */
function listsOf({ inputs, where }: AggregateCall): AggregateCall[] {
  return inputs.map((input, i) => {
    const others = inputs.filter((_, j) => j !== i)
    const conditions: Expression[] = others.map(other => ({ op: 'not', input: { op: 'isNull', input: other } }))
    if (where !== undefined) conditions.unshift(where)
    const all = conditions.reduceRight<Expression | undefined>(
      (right, left) => (right === undefined ? left : { op: 'and', left, right }),
      undefined,
    )
    return { op: 'aggregate', function: 'collectList', inputs: [input], ...(all === undefined ? {} : { where: all }) }
  })
}

/** The rows of `inner`, its lists gone, with the columns of the steps. */
function stepped(inner: Flow, steps: readonly Step[], keys: readonly string[], label: string): Source {
  const lists = new Set(steps.flatMap(step => step.lists))
  const schemaWith = (schema: SchemaShape, types: readonly DataType[]) =>
    schemaOf([
      ...fieldsOf(schema).filter(({ name }) => !lists.has(name)),
      ...steps.map(({ name }, i) => ({ name, type: types[i] })),
    ])
  const types = steps.flatMap(({ definition: { type } }) => type ?? [])
  const notRun = async () => {
    throw new Error('a source that is to be settled first was opened')
  }
  return {
    label,
    schema: inner.schema === null || types.length < steps.length ? null : schemaWith(inner.schema, types),
    rowCount: null,
    before: inner,
    async settle(collect) {
      const table = await collect(inner)
      const inputs = steps.map(step => inputOf(table, step, keys))
      const schema = schemaWith(
        table.schema,
        inputs.map(({ schema }, i) => schema[steps[i].result]),
      )
      let from = 0
      const batches = table.batches.map(batch => {
        const to = from + batch.rowCount
        const made = new Map(steps.map(({ name }, i) => [name, inputs[i].read(from, to).vectors[0]]))
        from = to
        const names = Object.keys(batch.schema)
        const vectors = Object.keys(schema).map(name => made.get(name) ?? batch.vectors[names.indexOf(name)])
        return new RecordBatch(schema, vectors, batch.rowCount)
      })
      return { ...tableSource(new Table(schema, batches)), label }
    },
    describe: notRun,
    open: notRun,
  }
}

/** The results of a step as a column, `keys` says which group is which. */
function inputOf(table: Table, step: Step, keys: readonly string[]): InputReader {
  const { definition } = step
  const { type } = definition
  const columns = step.lists.map(name => table.column(name))
  const result = Array.from({ length: table.rowCount }, (_, group) => {
    const values = columns.map(column => listAt(column, group, step, () => keyText(table, keys, group)))
    let phase = 'init' as 'init' | 'update' | 'merge' | 'evaluate'
    let at = 0
    let pending: MillraceError | null = null
    const called = (part: typeof phase, ...given: unknown[]): unknown => {
      phase = part
      const made = (definition[part] as (...given: unknown[]) => unknown)(...given)
      if (!isPromise(made)) return made
      // Whether it fails later is nobody's concern: it is refused here and now.
      made.then(undefined, () => {})
      pending = asynchronous(step, part)
      throw pending
    }
    const stateOf = (from: number): unknown => {
      let state = called('init')
      const to = Math.min(from + MORSEL_ROWS, values[0].length)
      for (at = from; at < to; at++) {
        const next = called('update', state, ...values.map(list => list[at]))
        if (next !== undefined) state = next
      }
      return state
    }
    try {
      let state = stateOf(0)
      for (let from = MORSEL_ROWS; from < values[0].length; from += MORSEL_ROWS)
        state = called('merge', state, stateOf(from))
      return called('evaluate', state)
    } catch (error) {
      if (pending !== null) throw pending
      throw failureOf(step, phase, keyText(table, keys, group), group, phase === 'update' ? at : undefined, error)
    }
  })
  const told = <T>(of: () => T): T => {
    try {
      return of()
    } catch (error) {
      throw refusalOf(step, group => keyText(table, keys, group), error)
    }
  }
  const { schema, read } = told(() =>
    openColumns({ [step.result]: result as CellInput[] }, type && schemaOf([{ name: step.result, type }])),
  )
  return { schema, rowCount: table.rowCount, read: (from, to) => told(() => read(from, to)) }
}

/** The values of a group, as JavaScript has them. */
function listAt(column: Column, group: number, { called, result }: Step, placeOf: () => string): readonly unknown[] {
  try {
    return (column.at(group) ?? []) as readonly unknown[]
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const text = error.message.replace(/^.*?, row \d+: (.*); read it with .*$/, '$1')
    throw new MillraceError(
      error.code,
      `${called}: a value of ${placeOf()}: ${text}; cast what it takes, to utf8 to have it exactly`,
      { operator: called, column: result, group, value: error.details.value },
    )
  }
}

const asynchronous = ({ called, result }: Step, phase: string): MillraceError =>
  new MillraceError(
    'MR_TYPE_MISMATCH',
    `${called}: ${phase} is asynchronous, and nothing waits for it; have map wait for what it needs, and aggregate that`,
    { operator: called, column: result, function: phase },
  )

/** What a result was refused for as a column, told of the aggregate and its group. */
function refusalOf({ called, result }: Step, placeOf: (group: number) => string, error: unknown): unknown {
  if (!(error instanceof MillraceError) || error.details.row === undefined) return error
  const { row: group } = error.details
  const text = error.message
    .slice(error.code.length + 2)
    .replace(`columns: column ${quote(result)}, row ${group}: `, '')
  return new MillraceError(
    error.code,
    `${called}: evaluate gave for ${placeOf(group)} what its column cannot hold: ${text}; have it give values of one type, that of the column`,
    { operator: called, column: result, function: 'evaluate', group },
  )
}

/** `the group symbol = "A", day = null` */
function keyText(table: Table, keys: readonly string[], group: number): string {
  if (keys.length === 0) return 'all rows'
  const shown = keys.map(key => {
    const { type } = table.column(key)
    const value = type.kind === 'int64' ? table.column(key).toBigInt64Array?.()[group] : table.column(key).at(group)
    return `${printName(key)} = ${typeof value === 'string' ? quote(value) : String(value)}`
  })
  return `the group ${shown.join(', ')}`
}

function failureOf(
  { called, result }: Step,
  phase: string,
  place: string,
  group: number,
  value: number | undefined,
  thrown: unknown,
): MillraceError {
  const where = value === undefined ? place : `value ${value} of ${place}`
  return new MillraceError(
    'MR_USER_CODE_FAILED',
    `${called}: ${phase} failed on ${where}: ${thrownText(thrown)}; make it take such values, or leave their rows out by .where`,
    { operator: called, column: result, function: phase, group, ...(value === undefined ? {} : { value }) },
    thrown,
  )
}
