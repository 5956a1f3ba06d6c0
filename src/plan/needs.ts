/** What a plan needs that lanes do not have from the start: parts of theirs that are loaded for the first plan that needs them. */
import { type DataType, isFloat, leafType } from '../columnar/type.js'
import type { CallPart, Expression } from '../expressions/node.js'
import { childrenOf, collectColumns } from '../expressions/walk.js'
import { isOver } from './aggregate-types.js'
import type { AccumulatorSpec, PhysicalPlan, Stage } from './physical.js'

/** Parts of lanes that plans call for. Most have kernels of their own: a file of assembly/parts/. */
export type PlanPart =
  | CallPart
  | 'evaluate'
  | 'text'
  | 'integers'
  | 'extremes'
  | 'aggregates'
  | 'partitions'
  | 'sets'
  | 'windows'
  | 'windowParts'
  | 'carried'
  | 'shapes'
  | 'over'
  | 'spill'
  | 'joins'
  | 'userCode'

/** More groups than that, in a hash table, are in no cache, and so are more rows to sort: they are parted first. */
export const MOST_GROUPS = 2 ** 17

/** @param rowCount of the source. @param spills whether what is beyond a budget may be written somewhere. */
export function partsFor(plan: PhysicalPlan, rowCount: number, spills = false): PlanPart[] {
  const stages = [...plan.branches.flatMap(({ stages }) => stages), ...plan.scan, ...plan.final]
  const computing = stages.some(computes)
  const parts: PlanPart[] = computing ? ['evaluate'] : []
  const called = new Set(partsCalledIn(stages))
  parts.push(...called)
  // A constant of a computation may be a string where no column is.
  if (computing || hasText(plan, stages)) parts.push('text')
  const aggregates = new Set(
    stages.flatMap(stage => [
      ...(stage.kind === 'aggregate' ? stage.accumulators.map(partOf) : []),
      ...(stage.kind === 'over' ? aggregatesOver(stage).map(partOf) : []),
    ]),
  )
  // Many order values by their images, or sum integers, and are lent the kernels.
  if (aggregates.has('aggregates')) aggregates.add('extremes').add('integers')
  for (const part of aggregates) if (part !== null) parts.push(part)
  // There are no more groups than rows, of which a join or a function may make any number, and what is spilled is parted whatever there is.
  const joins = stages.some(({ kind }) => kind === 'join' || kind === 'user')
  if ((rowCount > MOST_GROUPS || spills || joins) && stages.some(mayPart)) parts.push('partitions')
  // Rows that only pass are read in pieces that there is room for.
  if (spills) parts.push('spill')
  if (stages.some(({ kind }) => kind === 'join' || kind === 'union')) parts.push('joins')
  if (stages.some(stage => stage.kind === 'aggregate' && stage.sets !== null)) parts.push('sets')
  if (stages.some(stage => stage.kind === 'aggregate' && stage.panes !== null)) parts.push('windows')
  if (stages.some(({ kind }) => kind === 'explode' || kind === 'unpivot' || kind === 'sample')) parts.push('shapes')
  if (stages.some(({ kind }) => kind === 'user')) parts.push('userCode')
  if (stages.some(({ kind }) => kind === 'over')) parts.push('over')
  // Strings of several columns get one dictionary by the kernels of conditions.
  if (stages.some(unifiesText) && !called.has('conditions')) parts.push('conditions')
  return parts
}

const mayPart = (stage: Stage): boolean =>
  stage.kind === 'sort' ||
  (stage.kind === 'aggregate' &&
    (stage.keys.length > 0 || stage.sets !== null || stage.accumulators.some(each => HOLDS.includes(each.function))))

/** Aggregates whose states hold values, which lanes may share out. */
const HOLDS: readonly AccumulatorSpec['function'][] = ['countDistinct', 'mode']

const unifiesText = (stage: Stage): boolean =>
  stage.kind === 'unpivot' && leafType(stage.output[stage.valueName] as DataType).kind === 'utf8'

/** Of every call that stages make, the part that computes it. */
export const partsCalledIn = (stages: readonly Stage[]): CallPart[] =>
  stages.flatMap(expressionsOf).flatMap(partsCalled)

const partsCalled = (node: Expression): CallPart[] => [
  ...(node.op === 'call' ? [node.part as CallPart] : []),
  ...childrenOf(node).flatMap(partsCalled),
]

function expressionsOf(stage: Stage): Expression[] {
  if (stage.kind === 'project') return stage.columns.map(({ expression }) => expression)
  if (stage.kind === 'filter') return [stage.predicate]
  if (stage.kind === 'join') return stage.where === null ? [] : [stage.where]
  if (stage.kind !== 'aggregate') return []
  return stage.accumulators.flatMap(({ inputs, where }) => (where === null ? inputs : [...inputs, where]))
}

/** A predicate does even of a column. */
const computes = (stage: Stage): boolean =>
  stage.kind === 'filter' || expressionsOf(stage).some(expression => !isColumn(expression)) || hasFilter(stage)

const hasFilter = (stage: Stage): boolean =>
  stage.kind === 'join'
    ? stage.where !== null
    : stage.kind === 'aggregate' && stage.accumulators.some(({ where }) => where !== null)

const isColumn = ({ op }: Expression): boolean => op === 'column'

type Accumulated = Pick<AccumulatorSpec, 'function' | 'inputTypes'>

const aggregatesOver = ({ calls }: Stage & { kind: 'over' }): Accumulated[] =>
  calls.flatMap(({ function: name, inputTypes }) => (isOver(name) ? [] : [{ function: name, inputTypes }]))

function partOf({ function: name, inputTypes: [type] }: Accumulated): PlanPart | null {
  if (name === 'count') return null
  if (name === 'sum' || name === 'mean') return isFloat(type.kind) ? null : 'integers'
  return (name === 'min' || name === 'max') && type.kind !== 'utf8' ? 'extremes' : 'aggregates'
}

/** Whether a lane meets a column of strings. */
function hasText({ sourceColumns, sourceSchema, branches }: PhysicalPlan, stages: readonly Stage[]): boolean {
  const types = stages.flatMap(stage => [
    ...Object.values(stage.output),
    ...(stage.kind === 'join' ? Object.values(stage.right) : []),
  ])
  const read = branches.flatMap(({ schema }) => Object.values(schema))
  return [...sourceColumns.map(name => sourceSchema[name]), ...read, ...types].some(
    type => leafType(type).kind === 'utf8',
  )
}

/** Source columns whose values outlive their morsel: those that reach what the stateless stages of a scan end in, be it in a computed column. */
export function columnsKept({ scan, sourceColumns }: PhysicalPlan): Set<string> {
  let origins = new Map(sourceColumns.map(name => [name, [name]]))
  for (const stage of scan) {
    const before = origins
    if (stage.kind === 'filter')
      origins = new Map(Object.keys(stage.output).map(name => [name, before.get(name) ?? []]))
    else if (stage.kind === 'project') {
      origins = new Map(
        stage.columns.map(({ name, expression }) => [
          name,
          [...collectColumns(expression, new Set())].flatMap(read => before.get(read) ?? []),
        ]),
      )
    } else if (stage.kind === 'unpivot') {
      const values = stage.on.flatMap(name => before.get(name) ?? [])
      origins = new Map(
        Object.keys(stage.output).map(name => [name, name === stage.valueName ? values : (before.get(name) ?? [])]),
      )
    } else if (stage.kind === 'union' || (stage.kind === 'user' && stage.verb !== 'filter')) {
      // It writes all strings into dictionaries of its own.
      return new Set()
    } else if (stage.kind === 'join') {
      const taken = new Set(stage.taken.map(({ name }) => name))
      const names = Object.keys(stage.output).filter(name => !taken.has(name))
      origins = new Map(names.map(name => [name, before.get(name) ?? []]))
    } else if (stage.kind !== 'explode' && stage.kind !== 'user') break
  }
  return new Set([...origins.values()].flat())
}
