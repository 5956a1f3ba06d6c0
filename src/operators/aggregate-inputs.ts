/** What the accumulators of an aggregate read: each distinct (expressions, where) evaluated once a morsel. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import type { Expression } from '../expressions/node.js'
import { fingerprint } from '../expressions/walk.js'
import type { AggregateSpec } from '../kernels/aggregate/accumulator.js'
import type { AggregateInput } from '../kernels/aggregate/aggregation.js'
import { and } from '../kernels/bitmap.js'
import type { AccumulatorSpec } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { compileExpression, compilePredicate, Failures, shareParts } from './compiled.js'
import type { Morsel } from './operator.js'

export interface AggregateInputs {
  readonly specs: readonly AggregateSpec[]
  /** Types of the columns of each input, by `inputIndex`, where rows are parted: of lists, which can only be counted there, none. */
  readonly types: readonly (readonly DataType[])[]
  /** By the specs' `inputIndex`; in scratch or the morsel's own. @throws RowFailure */
  evaluate(morsel: Morsel): AggregateInput[]
  free(): void
}

export function createAggregateInputs(
  context: OperatorContext,
  accumulators: readonly AccumulatorSpec[],
  schema: SchemaShape,
): AggregateInputs {
  const { k } = context
  const places = new Map<string, number>()
  const types: (readonly DataType[])[] = []
  const distinct: { readonly inputs: readonly Expression[]; readonly where: Expression | null }[] = []
  const specs = accumulators.map(({ function: name, inputs, inputTypes, parameters, where, label }) => {
    const key = fingerprint([inputs, where])
    let inputIndex = places.get(key)
    if (inputIndex === undefined) {
      inputIndex = distinct.push({ inputs, where }) - 1
      places.set(key, inputIndex)
      types.push(inputTypes.some(({ kind }) => kind === 'list') ? [] : inputTypes)
    }
    return { function: name, inputs: inputTypes, inputIndex, parameters, label }
  })
  const shared = shareParts(distinct.flatMap(({ inputs, where }) => (where === null ? inputs : [...inputs, where])))
  const compiled = distinct.map(({ inputs, where }) => ({
    inputs: inputs.map(input => compileExpression(context, input, schema, shared)),
    where: where === null ? null : compilePredicate(context, where, schema, shared),
  }))
  return {
    specs,
    types,
    evaluate(morsel) {
      const failures = new Failures()
      const values = compiled.map(({ inputs, where }): AggregateInput => {
        const mask = where === null ? 0 : where.evaluate(morsel, failures)
        // Rows that do not count are null to the inputs' expressions, so that these cannot fail on them.
        const rows = mask === 0 ? morsel : masked(morsel, mask)
        const vectors = inputs.map(input => input.evaluate(rows, failures))
        const validity = vectors.reduce((both, vector) => allowedBoth(both, vector.validity, morsel.rowCount), mask)
        return { vectors, validity }
      })
      failures.throwIfAny(k, morsel)
      return values
    },
    free() {
      for (const { inputs, where } of compiled) {
        for (const input of inputs) input.free()
        where?.free()
      }
    },
  }

  function allowedBoth(a: number, b: number, rowCount: number): number {
    if (a === 0 || b === 0) return a || b
    return a === b ? a : and(k, a, b, rowCount)
  }

  function masked(morsel: Morsel, mask: number): Morsel {
    const columns = morsel.columns.map(column => ({
      ...column,
      validity: allowedBoth(column.validity, mask, morsel.rowCount),
    }))
    return { ...morsel, columns }
  }
}
