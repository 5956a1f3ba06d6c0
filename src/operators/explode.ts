/** `explode`: a row for each item of a list, and one with null for a list of none or a null one. A morsel may become many: a list may have any number of items. */
import type { DataType, SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { and, bitmapBytes } from '../kernels/bitmap.js'
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { dataBytes } from '../kernels/operand.js'
import { take, takeIndices } from '../kernels/select.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import type { Morsel, Transform } from './operator.js'

export function createExplode(
  { k }: OperatorContext,
  stage: Stage & { kind: 'explode' },
  input: SchemaShape,
): Transform {
  const { memory } = k
  const names = Object.keys(input)
  const place = names.indexOf(stage.column)
  // A filter before it may hand on a column more than anyone reads.
  const kept = Object.keys(stage.output).map(name => names.indexOf(name))
  const type = stage.output[stage.column] as DataType
  return {
    label: `explode ${stage.column}`,
    kernels: () => [],
    apply() {
      throw new Error('explode gives several morsels')
    },
    *expand(morsel) {
      let at: Place = { row: 0, item: 0 }
      while (at.row < morsel.rowCount) {
        const mark = memory.mark()
        const piece = cut(morsel.columns[place], morsel.rowCount, at)
        yield gathered(morsel, piece)
        memory.reset(mark)
        at = piece.next
      }
    },
    free() {},
  }

  /** The rows from `from` on that have room in a morsel: of which row each comes, and of which item. */
  function cut({ data, validity }: LaneVector, rowCount: number, from: Place): Piece {
    const rows = memory.scratch(4 * MORSEL_ROWS)
    const items = memory.scratch(4 * MORSEL_ROWS)
    const present = memory.scratch(bitmapBytes(MORSEL_ROWS))
    const { u32, u8 } = memory
    u8.fill(0xff, present, present + bitmapBytes(MORSEL_ROWS))
    const [rowAt, itemAt, offsets] = [rows >>> 2, items >>> 2, data >>> 2]
    let { row, item } = from
    let count = 0
    let hasGaps = false
    for (; row < rowCount && count < MORSEL_ROWS; row++, item = 0) {
      const start = u32[offsets + row]
      const isNull = validity !== 0 && (u8[validity + (row >>> 3)] & (1 << (row & 7))) === 0
      const length = isNull ? 0 : u32[offsets + row + 1] - start
      if (length === 0) {
        u32[rowAt + count] = row
        // Some item stands in for one that is not there.
        u32[itemAt + count] = 0
        u8[present + (count >>> 3)] &= ~(1 << (count & 7))
        hasGaps = true
        count++
        continue
      }
      const end = Math.min(length, item + MORSEL_ROWS - count)
      for (; item < end; item++, count++) {
        u32[rowAt + count] = row
        u32[itemAt + count] = start + item
      }
      if (item < length) break
    }
    return { rows, items, present: hasGaps ? present : 0, count, next: { row, item } }
  }

  function gathered(morsel: Morsel, { rows, items, present, count }: Piece): Morsel {
    const columns = kept.map(i => {
      const column = morsel.columns[i]
      return i === place ? itemsAt(column.child as LaneVector, items, present, count) : take(k, column, rows, count)
    })
    return { rowCount: count, columns, rows: takeIndices(k, morsel.rows, rows, count) }
  }

  function itemsAt(child: LaneVector, items: number, present: number, count: number): LaneVector {
    if (child.length === 0) return nulls(k, { ...child, type }, count)
    const taken = take(k, child, items, count)
    const validity =
      present === 0 || taken.validity === 0 ? present || taken.validity : and(k, present, taken.validity, count)
    return { ...taken, type, validity, range: null }
  }
}

interface Place {
  readonly row: number
  /** Of that row's list, how many items have been given. */
  readonly item: number
}

interface Piece {
  /** u32 pointers, and a bitmap of where there is an item; 0: everywhere. */
  readonly rows: number
  readonly items: number
  readonly present: number
  readonly count: number
  readonly next: Place
}

/** Nothing but nulls, in scratch: codes and offsets 0. `like` has no rows. */
function nulls({ memory }: Kernels, like: LaneVector, count: number): LaneVector {
  const bytes = dataBytes(like.type.kind, count)
  const data = memory.scratch(bytes)
  memory.bytes(data, bytes).fill(0)
  const validity = memory.scratch(bitmapBytes(count))
  memory.bytes(validity, bitmapBytes(count)).fill(0)
  return { ...like, length: count, data, validity, range: null }
}
