/**
 * The other side of a join: its rows in the heap of every lane, with the null row that stands for no row. What is looked up in them is join.ts's; how lanes send one another
 * those that they hold is share-side.ts's.
 */
import { leafType, type SchemaShape } from '../columnar/type.js'
import { MORSEL_ROWS, type VectorBatch } from '../columnar/vector.js'
import type { KeyPiece } from '../kernels/join.js'
import { dictionaryOf, type LaneBatch, type LaneVector } from '../kernels/lane-vector.js'
import { nullColumn } from '../kernels/null-column.js'
import { elementBytes } from '../kernels/operand.js'
import { isPackable, putRecords, type Records, recordLayout, takeFields } from '../kernels/records.js'
import { take, takeBits } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { freeVector, loadVector, recodeText } from '../kernels/transfer-batch.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch, joined, joinedValidity, sliceBatch } from './heap-batch.js'
import type { SideRows } from './operator.js'

export interface JoinSide extends SideRows {
  /** All rows are there. With `withNull` one more stands behind them, of `null`s. */
  settle(withNull: boolean): void
  /** Once settled: rows, the null row left out. */
  readonly rowCount: number
  /** All rows of a column side by side, the null row too. */
  column(i: number): LaneVector
  /** Whether a column has nulls, those of the null row apart. */
  hasNulls(i: number): boolean
  /** Some columns' rows, those before `end`, in pieces. */
  pieces(columns: readonly number[], end?: number): Iterable<KeyPiece>
  /** Puts the rows in another order, u32 row numbers; the null row stays behind them. */
  reorder(order: number): void
  /** From now on only these columns are looked at, by `take` mostly. */
  keep(columns: readonly number[]): Iterable<undefined>
  /** Whether columns are best taken together. */
  readonly isPacked: boolean
  /** Rows of some columns, gathered into scratch. `found`: bitmap of those that are not the null row, 0 where none is. */
  take(columns: readonly number[], rows: number, count: number, found: number): LaneVector[]
  free(): void
}

interface SidePart {
  readonly split: number
  readonly batch: LaneBatch
  /** Held elsewhere, and not to be freed here. */
  readonly isHeld: boolean
}

/** Columns that a fast cache has are best gathered one by one; of larger ones each row is put together, so that it is fetched once. */
const CACHED_BYTES = 2 ** 20

/** @param cachedBytes so few are gathered column by column; Infinity where they are taken in their order, about */
export function createJoinSide(context: OperatorContext, schema: SchemaShape, cachedBytes = CACHED_BYTES): JoinSide {
  const { k, dictionaries: pool } = context
  const { memory } = k
  const types = Object.values(schema)
  const parts: SidePart[] = []
  let arrived = 0
  let rowCount = 0
  let total = 0
  let nulls: boolean[] = []
  let records: Records | null = null
  /** The columns that these have, in the order of the fields; `data` is none's. */
  const packed = new Map<number, LaneVector>()
  const wholes: (LaneVector | null)[] = types.map(() => null)
  /** By which a column's strings are coded; retained. */
  const dictionaries: (LaneDictionary | null)[] = types.map(() => null)

  const adopt = (i: number, dictionary: LaneDictionary): void => {
    pool.retain(dictionary)
    dictionaries[i] = dictionary
  }
  const dictionaryAt = (i: number): LaneDictionary | null => {
    if (leafType(types[i]).kind !== 'utf8') return null
    dictionaries[i] ??= pool.create()
    return dictionaries[i]
  }
  /** Columns that come with other dictionaries than their own side's are coded anew. */
  const recoded = (column: LaneVector, i: number): LaneVector => {
    const theirs = dictionaryOf(column)
    if (theirs === null) return column
    if (dictionaries[i] === null) adopt(i, theirs)
    return recodeText(k, column, dictionaries[i] as LaneDictionary)
  }
  const freeParts = () => {
    for (const { batch, isHeld } of parts.splice(0)) if (!isHeld) freeHeapBatch(k, batch)
  }
  const nullAt = (i: number): LaneVector =>
    nullColumn(k, types[i], total - rowCount, dictionaryAt(i), bytes => memory.scratch(bytes))
  const column = (i: number): LaneVector => {
    const known = wholes[i]
    if (known !== null) return known
    const mark = memory.mark()
    const own = parts.map(({ batch }) => batch.columns[i])
    if (total > rowCount || own.length === 0) own.push(nullAt(i))
    const whole = joined(k, own, total)
    wholes[i] = whole
    memory.reset(mark)
    return whole
  }
  const drop = (i: number) => {
    if (wholes[i] !== null) freeVector(k, wholes[i])
    wholes[i] = null
  }
  /** Of which no part is needed any more once it has been put there. */
  function* pack(fields: readonly number[]): Iterable<undefined> {
    const layout = recordLayout(fields.map(i => types[i]))
    records = { ...layout, data: memory.allocate(total * layout.stride) }
    for (const i of fields) {
      const own = parts.map(({ batch }) => batch.columns[i])
      const validity = nulls[i] || total > rowCount ? joinedValidity(k, own, total) : 0
      packed.set(i, { type: types[i], length: total, data: 0, validity, dictionary: dictionaryAt(i), range: null })
    }
    const numbers = [...packed.keys()]
    let first = 0
    for (const { batch } of parts) {
      if (batch.rowCount > 0)
        putRecords(
          k,
          records,
          numbers.map(i => batch.columns[i]),
          first,
        )
      first += batch.rowCount
      yield
    }
    memory.u8.fill(0, records.data + rowCount * layout.stride, records.data + total * layout.stride)
  }

  return {
    hold(batch, split) {
      const mark = memory.mark()
      const columns = batch.columns.map(recoded)
      const isHeld = columns.every((column, i) => column === batch.columns[i])
      parts.push({ split, batch: isHeld ? batch : copyToHeap(k, { ...batch, columns }), isHeld })
      memory.reset(mark)
    },
    add(batch: VectorBatch, split = arrived++) {
      const columns: LaneVector[] = []
      try {
        for (const [i, vector] of batch.vectors.entries()) {
          const isCoded = types[i].kind === 'utf8' && vector.type.kind !== 'utf8'
          const loaded = loadVector(k, vector, dictionaryAt(i), 'heap')
          columns.push(isCoded ? { ...loaded, type: types[i], dictionary: dictionaryAt(i) } : loaded)
        }
      } catch (error) {
        freeHeapBatch(k, { rowCount: 0, columns })
        throw error
      }
      parts.push({ split, batch: { rowCount: batch.rowCount, columns }, isHeld: false })
    },
    dictionaryOf: i => dictionaries[i],
    settle(withNull) {
      parts.sort((a, b) => a.split - b.split)
      rowCount = parts.reduce((sum, { batch }) => sum + batch.rowCount, 0)
      total = rowCount + (withNull ? 1 : 0)
      nulls = types.map((_, i) => parts.some(({ batch }) => batch.columns[i].validity !== 0))
    },
    get rowCount() {
      return rowCount
    },
    column,
    hasNulls: i => nulls[i] ?? false,
    *pieces(columns, end = rowCount) {
      // Where they lie as they came, they need not be put side by side.
      const isWhole = parts.length === 0 || columns.some(i => wholes[i] !== null)
      const all = isWhole ? [{ rowCount, columns: columns.map(column) }] : parts.map(({ batch }) => batch)
      let first = 0
      for (const each of all) {
        const own = isWhole ? each.columns : columns.map(i => each.columns[i])
        const rows = Math.min(each.rowCount, end - first)
        for (let from = 0; from < rows; from += MORSEL_ROWS) {
          const count = Math.min(MORSEL_ROWS, rows - from)
          yield {
            first: first + from,
            count,
            columns: sliceBatch({ rowCount: rows, columns: own }, from, count).columns,
          }
        }
        first += each.rowCount
      }
    },
    reorder(order) {
      const indices = memory.allocate(4 * total + 4)
      try {
        memory.u8.copyWithin(indices, order, order + 4 * rowCount)
        if (total > rowCount) memory.u32[(indices >>> 2) + rowCount] = rowCount
        for (const i of types.keys()) {
          const ordered = take(k, column(i), indices, total, bytes => memory.allocate(bytes))
          drop(i)
          wholes[i] = ordered
        }
      } finally {
        memory.free(indices)
      }
      freeParts()
    },
    *keep(columns) {
      for (const i of types.keys()) if (!columns.includes(i)) drop(i)
      const fields = columns.filter(i => wholes[i] === null && isPackable(types[i]))
      const rowBytes = fields.reduce((sum, i) => sum + elementBytes(types[i].kind), 0)
      if (fields.length > 1 && rowCount * rowBytes > cachedBytes) yield* pack(fields)
      for (const i of columns) if (!packed.has(i)) column(i)
      freeParts()
    },
    get isPacked() {
      return records !== null
    },
    take(columns, rows, count, found) {
      const fields = columns.filter(i => packed.has(i))
      const numbers = [...packed.keys()]
      const data =
        fields.length === 0
          ? []
          : takeFields(
              k,
              records as Records,
              fields.map(i => ({ field: numbers.indexOf(i), type: types[i] })),
              rows,
              count,
            )
      return columns.map(i => {
        const own = packed.get(i)
        const { validity } = own ?? column(i)
        // A column whose only null is that of the null row has nulls in the same places as others.
        const known = nulls[i] ? takeBits(k, validity, rows, count) : found
        const taken =
          own === undefined
            ? take(k, { ...column(i), validity: 0 }, rows, count)
            : { ...own, length: count, data: data[fields.indexOf(i)] }
        return { ...taken, validity: known }
      })
    },
    free() {
      freeParts()
      for (const i of types.keys()) drop(i)
      for (const { validity } of packed.values()) memory.free(validity)
      packed.clear()
      memory.free(records?.data ?? 0)
      records = null
      dictionaries.forEach((dictionary, i) => {
        dictionary?.forgetMaps()
        if (dictionary !== null) pool.release(dictionary)
        dictionaries[i] = null
      })
    },
  }
}
