/**
 * Rule: the source reads only the columns that something above it reads, and projects compute only what is read.
 * A column that can fail is computed though nobody reads it: its error is part of the answer.
 */
import { schemaOf } from '../../columnar/schema.js'
import type { DataType } from '../../columnar/type.js'
import { canFail } from '../../expressions/failure.js'
import { collectColumns, collectOfCalls } from '../../expressions/walk.js'
import { projectNode } from '../build.js'
import { readsOf } from '../join.js'
import type { JoinNode, PlanNode, SourceNode, UnionNode } from '../logical.js'
import { LEFT, RIGHT } from '../pair-columns.js'
import { boundSchemaOf } from '../typing.js'
import { mapInputs, overInput } from './rewrite.js'

export function pruneColumns(plan: PlanNode): PlanNode {
  return prune(plan, new Set(Object.keys(boundSchemaOf(plan))))
}

/** `plan` with at least the columns `read`; it may keep more. */
function prune(plan: PlanNode, read: Set<string>): PlanNode {
  switch (plan.kind) {
    case 'source':
      return pruneSource(plan, read)
    case 'project': {
      const schema = boundSchemaOf(plan.input)
      const kept = plan.columns.filter(({ name, expression }) => read.has(name) || canFail(expression, schema))
      const below = new Set<string>()
      for (const { expression } of kept) collectColumns(expression, below)
      const input = prune(plan.input, below)
      if (kept.length === plan.columns.length) return overInput(plan, input)
      // With no column left only the number of rows counts, and the input has that.
      return kept.length === 0 ? input : projectNode(input, plan.verb, kept)
    }
    case 'filter':
      return overInput(plan, prune(plan.input, collectColumns(plan.predicate, new Set(read))))
    case 'sort':
      return overInput(plan, prune(plan.input, new Set([...read, ...plan.orders.map(({ name }) => name)])))
    case 'aggregate': {
      const below = new Set(plan.keys)
      for (const { expression } of plan.aggregates) collectOfCalls(expression, below)
      return overInput(plan, prune(plan.input, below))
    }
    case 'user':
      return overInput(plan, prune(plan.input, new Set(Object.keys(boundSchemaOf(plan.input)))))
    case 'explode':
      return overInput(plan, prune(plan.input, new Set([...read, plan.column])))
    case 'unpivot': {
      const index = (plan.index as readonly string[]).filter(name => read.has(name))
      const input = prune(plan.input, new Set([...index, ...plan.on]))
      return index.length === plan.index?.length
        ? overInput(plan, input)
        : Object.freeze({ ...plan, input, index: Object.freeze(index) })
    }
    case 'over': {
      // What is replaced keeps its place among the columns, so it stays.
      const below = new Set(read)
      for (const name of [...plan.partitionBy, ...plan.orders.map(order => order.name)]) below.add(name)
      for (const { expression } of plan.columns) collectOfCalls(expression, below)
      return overInput(plan, prune(plan.input, below))
    }
    case 'union':
      return pruneUnion(plan, read)
    case 'join':
      return pruneJoin(plan, read)
    case 'limit':
    case 'sample':
    case 'pending':
    case 'watermark':
    case 'emit':
    case 'top':
    case 'distinct':
    case 'late':
      return overInput(plan, prune(plan.input, read))
  }
}

/** Inputs may keep more: what comes out of each is taken by name. */
function pruneUnion(union: UnionNode, read: ReadonlySet<string>): UnionNode {
  const columns = boundSchemaOf(union)
  const kept = Object.keys(columns).filter(name => read.has(name))
  const pruned = mapInputs(union, input => prune(input, new Set(kept)))
  if (kept.length === Object.keys(columns).length) return pruned
  return Object.freeze({ ...pruned, columns: schemaOf(kept.map(name => ({ name, type: columns[name] as DataType }))) })
}

function pruneJoin(join: JoinNode, read: ReadonlySet<string>): JoinNode {
  const taken = (join.taken ?? []).filter(({ name }) => read.has(name))
  const reads = join.where === null ? [] : [...collectColumns(join.where, new Set())]
  const isTaken = new Set((join.taken ?? []).map(({ name }) => name))
  const left = [...read].filter(name => !isTaken.has(name))
  const input = prune(
    join.input,
    new Set([
      ...left,
      ...join.keys.map(key => key.left),
      ...(join.asof === null ? [] : [join.asof.left]),
      ...readsOf(reads, LEFT),
    ]),
  )
  const right = prune(
    join.right,
    new Set([
      ...taken.map(({ column }) => column),
      ...join.keys.map(key => key.right),
      ...(join.asof === null ? [] : [join.asof.right]),
      ...readsOf(reads, RIGHT),
    ]),
  )
  const isSame = input === join.input && right === join.right && taken.length === join.taken?.length
  return isSame ? join : Object.freeze({ ...join, input, right, taken: Object.freeze(taken) })
}

function pruneSource(source: SourceNode, read: Set<string>): SourceNode {
  const names = Object.keys(boundSchemaOf(source))
  const kept = names.filter(name => read.has(name))
  return kept.length === names.length ? source : Object.freeze({ ...source, columns: Object.freeze(kept) })
}
