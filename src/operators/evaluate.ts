/**
 * Expressions over a morsel: a resolved tree is compiled once into closures that call kernels, so that per morsel nothing is looked up.
 * Results are in scratch, or the morsel's own columns. A chunk of its own, which compiled.ts stands before: a plan that only reads columns
 * never loads it.
 */
import { placeOf } from '../columnar/schema.js'
import type { DataType, SchemaShape } from '../columnar/type.js'
import type {
  ArithmeticOp,
  CallPart,
  CompareOp,
  Expression,
  InNode,
  LiteralNode,
  TimePart,
} from '../expressions/node.js'
import { arithmetic, negate } from '../kernels/arithmetic.js'
import { and, booleans, bothValid, filled, isNull, isTrue, logic, negated } from '../kernels/bitmap.js'
import { part } from '../kernels/calendar.js'
import { widen } from '../kernels/cast.js'
import { compare, inSet } from '../kernels/compare.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import type { Computed, Operand, Scalar } from '../kernels/operand.js'
import { constant, isScalar, validityOf } from '../kernels/scalar.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from './build.js'
import type { Run } from './call.js'
import { type CompiledExpression, type CompiledPredicate, Failures, type Shared, shareParts } from './compiled.js'
import { forRows } from './for-rows.js'
import type { Morsel } from './operator.js'

// Wherever it is needed, so is this file.
export { createFilter } from './filter.js'

export function compileExpression(
  context: OperatorContext,
  expression: Expression,
  schema: SchemaShape,
  shared = shareParts([expression]),
): CompiledExpression {
  const literals = new LiteralDictionaries(context)
  const run = compile(context, expression, schema, literals, shared)
  return {
    evaluate: (morsel, failures) => literals.column(run(morsel, failures), morsel.rowCount),
    free: () => literals.free(),
  }
}

export function compilePredicate(
  context: OperatorContext,
  expression: Expression,
  schema: SchemaShape,
  shared = shareParts([expression]),
): CompiledPredicate {
  const { evaluate, free } = compileExpression(context, expression, schema, shared)
  return { evaluate: (morsel, failures) => isTrue(context.k, evaluate(morsel, failures)), free }
}

/** Constants as columns, and what functions keep from morsel to morsel; a string constant needs a dictionary of its own, kept from morsel to morsel. */
class LiteralDictionaries {
  private readonly dictionaries = new Map<string, LaneDictionary>()
  private readonly owned: (() => void)[] = []

  constructor(private readonly context: OperatorContext) {}

  column(operand: Operand, rowCount: number): LaneVector {
    if (!isScalar(operand)) return operand
    return constant(this.context.k, operand, rowCount, operand.type.kind === 'utf8' ? this.dictionaryOf(operand) : null)
  }

  /** Something else to let go of with them. */
  own(free: () => void): void {
    this.owned.push(free)
  }

  free(): void {
    for (const each of this.owned.splice(0)) each()
    for (const dictionary of this.dictionaries.values()) this.context.dictionaries.release(dictionary)
    this.dictionaries.clear()
  }

  private dictionaryOf({ value }: Scalar): LaneDictionary {
    const key = String(value)
    let dictionary = this.dictionaries.get(key)
    if (dictionary === undefined) {
      dictionary = this.context.dictionaries.create()
      this.dictionaries.set(key, dictionary)
    }
    return dictionary
  }
}

/** A part that is there more than once is compiled once, by whoever comes first. */
function compile(
  context: OperatorContext,
  node: Expression,
  schema: SchemaShape,
  literals: LiteralDictionaries,
  shared: Shared,
): Run {
  const id = shared.parts.idOf(node)
  if (id < 0) return compileNode(context, node, schema, literals, shared)
  const run = shared.runs.get(id) ?? onceAMorsel(compileNode(context, node, schema, literals, shared))
  shared.runs.set(id, run)
  return run
}

/** Results are in scratch, or the morsel's, and so good as long as it is; failures are those of one stage over one morsel. */
function onceAMorsel(run: Run): Run {
  let last: { readonly morsel: Morsel; readonly own: Failures; readonly result: Operand } | null = null
  return (morsel, failures) => {
    if (last?.morsel !== morsel || last.own.whole !== failures.whole) {
      const own = new Failures(failures)
      last = { morsel, own, result: run(morsel, own) }
    }
    const { least } = last.own
    if (least !== null) failures.note(least.row, least.expression, least.reason)
    return last.result
  }
}

function compileNode(
  context: OperatorContext,
  node: Expression,
  schema: SchemaShape,
  literals: LiteralDictionaries,
  shared: Shared,
): Run {
  const { k } = context
  const operand = (child: Expression): Run => compile(context, child, schema, literals, shared)
  const column = (child: Expression): ((morsel: Morsel, failures: Failures) => LaneVector) => {
    const run = operand(child)
    return (morsel, failures) => literals.column(run(morsel, failures), morsel.rowCount)
  }
  const noting = ({ vector, failedRow }: Computed, failures: Failures): LaneVector => {
    failures.note(failedRow, node)
    return vector
  }
  switch (node.op) {
    case 'column': {
      const position = placeOf(schema, node.name)
      return morsel => morsel.columns[position]
    }
    case 'param':
      throw new Error('resolving has made a literal of it')
    case 'literal': {
      const scalar: Scalar = { type: (node as LiteralNode).type as DataType, value: node.value }
      return () => scalar
    }
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intDiv':
    case 'mod': {
      const { op } = node as { readonly op: ArithmeticOp }
      const left = operand(node.left)
      const right = operand(node.right)
      return (morsel, failures) =>
        noting(arithmetic(k, op, left(morsel, failures), right(morsel, failures), morsel.rowCount), failures)
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const { op } = node as { readonly op: CompareOp }
      const left = operand(node.left)
      const right = operand(node.right)
      return (morsel, failures) => {
        const a = left(morsel, failures)
        const b = right(morsel, failures)
        const { rowCount } = morsel
        if (isNullScalar(a) || isNullScalar(b)) return nullBooleans(k, rowCount)
        const first = isScalar(a) && isScalar(b) ? literals.column(a, rowCount) : a
        return booleans(
          rowCount,
          compare(k, op, first, b, rowCount),
          bothValid(k, validityOf(a), validityOf(b), rowCount),
        )
      }
    }
    case 'and':
    case 'or': {
      const left = column(node.left)
      const right = column(node.right)
      return (morsel, failures) => logic(k, node.op, left(morsel, failures), right(morsel, failures))
    }
    case 'not': {
      const input = column(node.input)
      return (morsel, failures) => negated(k, input(morsel, failures))
    }
    case 'neg': {
      const input = column(node.input)
      return (morsel, failures) => noting(negate(k, input(morsel, failures)), failures)
    }
    case 'isNull': {
      const input = column(node.input)
      return (morsel, failures) => isNull(k, input(morsel, failures))
    }
    case 'year':
    case 'month':
    case 'dayOfWeek':
    case 'hour': {
      const { op } = node as { readonly op: TimePart }
      const input = column(node.input)
      return (morsel, failures) => noting(part(k, op, input(morsel, failures)), failures)
    }
    case 'cast': {
      const input = column(node.input)
      return (morsel, failures) => noting(widen(k, input(morsel, failures), node.type), failures)
    }
    case 'call': {
      const part = context.parts[node.part as CallPart]
      if (part === undefined) throw new Error(`the plan calls ${node.function}, which was not loaded`)
      const inputs = node.inputs.map(input => {
        const run = operand(input)
        return {
          node: input,
          operand: run,
          column: (morsel: Morsel, failures: Failures) => literals.column(run(morsel, failures), morsel.rowCount),
          forRows: (morsel: Morsel, failures: Failures, rows: () => number) => forRows(k, run, morsel, failures, rows),
        }
      })
      const { run, free } = part.compileCall(context, node, inputs)
      if (free !== undefined) literals.own(free)
      return run
    }
    case 'in':
      return among(k, node, column(node.input))
  }
}

/** SQL's `in`: among the values is true; else null where the input is null or the values hold a null; else false. */
function among(k: Kernels, { values }: InNode, input: (morsel: Morsel, failures: Failures) => LaneVector): Run {
  const given = values.flatMap(({ value }) => (value === null ? [] : [value]))
  const hasNull = given.length < values.length
  return (morsel, failures) => {
    const vector = input(morsel, failures)
    const { rowCount } = morsel
    if (values.length === 0) return booleans(rowCount, filled(k, false, rowCount), 0)
    const found = inSet(k, vector, given)
    if (!hasNull) return booleans(rowCount, found, vector.validity)
    return booleans(rowCount, found, vector.validity === 0 ? found : and(k, found, vector.validity, rowCount))
  }
}

const isNullScalar = (operand: Operand): boolean => isScalar(operand) && operand.value === null

const nullBooleans = (k: Kernels, rowCount: number): LaneVector => {
  const none = filled(k, false, rowCount)
  return booleans(rowCount, none, none)
}
