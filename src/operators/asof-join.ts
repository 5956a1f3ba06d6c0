/**
 * `asofJoin`: each left row beside the right one that is nearest in time among those with its keys. The right side is put in the order of its times, the rows of each
 * key are then a list in that order, and a left row searches its list.
 */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { typeName } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { buildJoinIndex, type JoinIndex } from '../kernels/join.js'
import { columnsOf, type LaneVector } from '../kernels/lane-vector.js'
import { comparableTimes, countKnown, findNearest, type NearestOf, rowsAt } from '../kernels/nearest.js'
import { foundBits, replaceNone } from '../kernels/pairs.js'
import { take } from '../kernels/select.js'
import { argsort } from '../kernels/sort.js'
import type { AsofJoin } from '../plan/logical.js'
import type { JoinStage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { createJoinSide } from './join-side.js'
import { type Morsel, RowFailure, type Transform } from './operator.js'

export function createAsofJoin(
  context: OperatorContext,
  stage: JoinStage,
  input: SchemaShape,
  leaves = false,
): Transform {
  const { k } = context
  const { memory } = k
  const { right: sideSchema } = stage
  const asof = stage.asof as AsofJoin
  const names = Object.keys(input)
  const sideNames = Object.keys(sideSchema)
  const keysLeft = stage.keys.map(key => names.indexOf(key.left))
  const keysRight = stage.keys.map(key => sideNames.indexOf(key.right))
  const onLeft = names.indexOf(asof.left)
  const onRight = sideNames.indexOf(asof.right)
  const side = createJoinSide(context, sideSchema)
  let index: JoinIndex | null = null
  let of: NearestOf = { times: 0, count: 0, starts: 0 }
  const outputs = Object.keys(stage.output).map(name => {
    const type = stage.output[name]
    const taken = stage.taken.find(each => each.name === name)
    return taken === undefined
      ? { isTaken: false, column: names.indexOf(name), type }
      : { isTaken: true, column: sideNames.indexOf(taken.column), type }
  })

  function* prepare(): Iterable<undefined> {
    side.settle(true)
    const total = side.rowCount
    if (total === 0) return
    yield
    const mark = memory.mark()
    const on = { ...side.column(onRight), length: total }
    side.reorder(argsort(k, [{ vector: on, descending: false, nulls: 'last' }], total))
    memory.reset(mark)
    yield
    const count = countKnown(k, { ...side.column(onRight), length: total })
    if (keysRight.length > 0) {
      const types = stage.keys.map(key => ({ own: sideSchema[key.right], other: input[key.left] }))
      index = yield* buildJoinIndex(k, types, () => side.pieces(keysRight, count), count, 'lists', context.partRows)
    }
    times(count)
    const used = new Set(outputs.flatMap(({ isTaken, column }) => (isTaken ? [column] : [])))
    yield* side.keep([...used])
  }

  /** The times of all rows that have one, list by list. */
  function times(count: number): void {
    const mark = memory.mark()
    const own = { ...side.column(onRight), length: count }
    const { vector, failedRow } = comparableTimes(k, own, asof.type)
    if (failedRow >= 0) throw beyond(asof.right, asof.type)
    // Rows without keys are in no list.
    const listed = index === null ? count : memory.u32[(index.starts >>> 2) + index.idCount]
    const pointer = memory.allocate(8 * listed + 16)
    of = { times: pointer, count: listed, starts: index?.starts ?? 0 }
    if (index !== null) take(k, { ...vector, validity: 0 }, index.rows, listed, () => pointer)
    else memory.u8.copyWithin(pointer, vector.data, vector.data + 8 * count)
    memory.reset(mark)
  }

  function nearestRows(morsel: Morsel): { rows: number; found: number } {
    const { rowCount } = morsel
    const on = morsel.columns[onLeft]
    const { vector, failedRow } = comparableTimes(k, on, asof.type)
    if (failedRow >= 0) {
      const row = morsel.rows === 0 ? failedRow : memory.u32[(morsel.rows >>> 2) + failedRow]
      throw new RowFailure(row, beyond(asof.left, asof.type))
    }
    const keys = keysLeft.map(i => morsel.columns[i])
    const ids = index === null ? 0 : index.ids(keys, rowCount)
    const places = findNearest(k, vector, ids, of, asof.direction, asof.tolerance)
    const rows = rowsAt(k, places, index?.rows ?? 0, rowCount)
    const hasLone = replaceNone(k, rows, rowCount, side.rowCount) > 0
    return { rows, found: hasLone ? foundBits(k, rows, rowCount, side.rowCount) : 0 }
  }

  return {
    label: `asofJoin on ${[asof.left, ...stage.keys.map(key => key.left)].join(', ')}`,
    kernels: () => (index === null ? [] : [`look-up: ${index.kernel}`]),
    apply(morsel) {
      const { rows, found } = nearestRows(morsel)
      const { rowCount } = morsel
      const columnAt = (i: number): LaneVector => {
        const { isTaken, column, type } = outputs[i]
        const made = isTaken ? side.take([column], rows, rowCount, found)[0] : morsel.columns[column]
        return { ...made, type }
      }
      return { rowCount, rows: morsel.rows, ...columnsOf(Object.values(stage.output), columnAt, leaves) }
    },
    side: { index: stage.side, rows: side, prepare },
    renew(mostBytes) {
      if (mostBytes === 0) index?.forgetCodes()
    },
    free() {
      index?.free()
      index = null
      memory.free(of.times)
      of = { times: 0, count: 0, starts: 0 }
      side.free()
    },
  }
}

const beyond = (column: string, type: DataType): MillraceError =>
  new MillraceError(
    'MR_INTEGER_OVERFLOW',
    `asofJoin: a time of column ${quote(column)} is beyond ${typeName(type)}, the finer unit of both sides; declare both in one unit`,
    { operator: 'asofJoin', column },
  )
