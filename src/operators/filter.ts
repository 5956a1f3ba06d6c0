/** `filter`: the predicate becomes a bitmap, its rows an index list, and the columns that are read later are gathered by it. */
import { type SchemaShape, uint32 } from '../columnar/type.js'
import { count } from '../kernels/bitmap.js'
import { columnsOf, type LaneVector } from '../kernels/lane-vector.js'
import { selection, take } from '../kernels/select.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { compilePredicate, Failures } from './compiled.js'
import type { Transform } from './operator.js'

export function createFilter(
  context: OperatorContext,
  stage: Stage & { kind: 'filter' },
  input: SchemaShape,
  leaves = false,
): Transform {
  const { k } = context
  const predicate = compilePredicate(context, stage.predicate, input)
  const names = Object.keys(input)
  const types = Object.values(stage.output)
  const kept = Object.keys(stage.output).map(name => names.indexOf(name))
  return {
    label: 'filter',
    kernels: () => [],
    apply(morsel) {
      const failures = new Failures()
      const bitmap = predicate.evaluate(morsel, failures)
      failures.throwIfAny(k, morsel)
      const { rowCount, rows } = morsel
      const columns = kept.map(i => morsel.columns[i])
      const left = count(k, bitmap, rowCount)
      if (left === 0) return null
      if (left === rowCount) return { rowCount, rows, columns }
      const { indices } = selection(k, bitmap, rowCount)
      const columnAt = (i: number) => take(k, columns[i], indices, left)
      return {
        rowCount: left,
        rows: rows === 0 ? indices : take(k, rowNumbers(rows, rowCount), indices, left).data,
        ...columnsOf(types, columnAt, leaves),
      }
    },
    free: () => predicate.free(),
  }
}

/** A pseudo column of row numbers, so that `take` can gather them. */
const rowNumbers = (data: number, length: number): LaneVector => ({
  type: uint32(),
  length,
  data,
  validity: 0,
  dictionary: null,
  range: null,
})
