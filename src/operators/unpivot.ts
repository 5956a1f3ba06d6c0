/**
 * `unpivot`: of each row a row for each of several columns, one after another, with the column's name and its value. A project before it has made all values
 * of one type; here the columns of a run of rows are laid side by side and gathered crosswise.
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { slice, take, takeIndices } from '../kernels/select.js'
import { recodeText } from '../kernels/transfer-batch.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext, OperatorParts } from './build.js'
import { freeHeapBatch, joinBatches } from './heap-batch.js'
import type { Morsel, Transform } from './operator.js'

export function createUnpivot(
  context: OperatorContext,
  stage: Stage & { kind: 'unpivot' },
  input: SchemaShape,
): Transform {
  const { k, dictionaries: pool } = context
  const { memory } = k
  const { on, variableName, valueName, output } = stage
  const names = Object.keys(input)
  const places = on.map(name => names.indexOf(name))
  const width = on.length
  const rowsAtOnce = Math.max(1, Math.floor(MORSEL_ROWS / width))
  const valueType = output[valueName] as DataType
  const text =
    valueType.kind === 'utf8'
      ? (context.parts.conditions as OperatorParts['conditions']).createUnifiedText(context)
      : null
  const labels = pool.create()
  const labelCodes = labels.internStrings(on)
  // Strings in lists are not unified entry by entry: each dictionary is written into one that only grows.
  const itemTexts = valueType.kind === 'list' ? pool.create() : null
  return {
    label: `unpivot into ${variableName}, ${valueName}`,
    kernels: () => [],
    apply() {
      throw new Error('unpivot gives several morsels')
    },
    *expand(morsel) {
      const columns = valuesOf(morsel)
      for (let from = 0; from < morsel.rowCount; from += rowsAtOnce) {
        const mark = memory.mark()
        yield crosswise(morsel, columns, from, Math.min(rowsAtOnce, morsel.rowCount - from))
        memory.reset(mark)
      }
    },
    free() {
      text?.free()
      pool.release(labels)
      if (itemTexts !== null) pool.release(itemTexts)
    },
  }

  /** The columns that are listed, strings of all of them coded by one dictionary. */
  function valuesOf(morsel: Morsel): LaneVector[] {
    const columns = places.map(i => morsel.columns[i])
    if (text !== null) return text.unify(columns).operands as LaneVector[]
    return itemTexts === null ? columns : columns.map(column => recodeText(k, column, itemTexts))
  }

  function crosswise(morsel: Morsel, columns: readonly LaneVector[], from: number, rowCount: number): Morsel {
    const count = rowCount * width
    const [across, rows, codes] = [memory.scratch(4 * count), memory.scratch(4 * count), memory.scratch(4 * count)]
    const { u32 } = memory
    for (let row = 0, at = 0; row < rowCount; row++) {
      for (let column = 0; column < width; column++, at++) {
        u32[(across >>> 2) + at] = column * rowCount + row
        u32[(rows >>> 2) + at] = from + row
        u32[(codes >>> 2) + at] = labelCodes[column]
      }
    }
    const label: LaneVector = {
      type: output[variableName] as DataType,
      length: count,
      data: codes,
      validity: 0,
      dictionary: labels,
      range: null,
    }
    const value = { ...valuesAt(columns, from, rowCount, across), type: valueType }
    const result = Object.keys(output).map(name => {
      if (name === variableName) return label
      if (name === valueName) return value
      return take(k, morsel.columns[names.indexOf(name)], rows, count)
    })
    return { rowCount: count, columns: result, rows: takeIndices(k, morsel.rows, rows, count) }
  }

  function valuesAt(columns: readonly LaneVector[], from: number, rowCount: number, across: number): LaneVector {
    const side = joinBatches(
      k,
      columns.map(column => ({ rowCount, columns: [slice(k, column, from, from + rowCount)] })),
    )
    try {
      return take(k, side.columns[0], across, rowCount * width)
    } finally {
      freeHeapBatch(k, side)
    }
  }
}
