/**
 * Lists of a column chunk, morsel by morsel: rows and items are told apart by repetition and definition levels, an item's value comes from
 * column-values.ts.
 *
 * ```
 *   rows          [1, null, 2]   []   null   [3]          where lists and items may be null: list 1, item 2, most 3
 *   repetition     0   1    1    0     0      0           0 begins a row
 *   definition     3   2    3    1     0      3           below `item` there is none
 *   values         1        2                 3           in the page, one for each `most`
 * ```
 */
import type { DataType } from '../../columnar/type.js'
import type { PlainVector } from '../plain-batch.js'
import type { ChunkPages, OpenPage } from './chunk-pages.js'
import type { Encoded } from './column-type.js'
import { createValues } from './column-values.js'
import { corrupt, unsupported } from './corrupt.js'
import { type HybridState, readHybrid } from './hybrid.js'
import type { ListLevels } from './list-type.js'

/** Levels that are read ahead of their rows, at most. */
const LEVELS = 4096
/** Items of one morsel, at most: a few bytes of levels can ask for any number of nulls. Of 8 bytes each they are 1 GiB. */
const MAX_MORSEL_ITEMS = 2 ** 27

/** @param rowCount of the row group: with its last row the chunk must end. */
export function createListReader(
  type: DataType,
  encoded: Encoded,
  levels: ListLevels,
  pages: ChunkPages,
  rowCount: number,
): (rows: number) => PlainVector {
  const item = type.item as DataType
  const repetition = new Int32Array(LEVELS)
  const definition = new Int32Array(LEVELS)
  /** Levels [at, ready) of the page at hand are not used up; `page.left` is what comes behind them. */
  let at = 0
  let ready = 0
  let page: OpenPage | null = null
  let rowsRead = 0

  /** Whether there is a level to be looked at. */
  const isFilled = (): boolean => {
    if (at < ready) return true
    if (pages.isAtEnd()) return false
    page = pages.current()
    at = 0
    ready = Math.min(page.left, LEVELS)
    readHybrid(page.repetition as HybridState, repetition, 0, ready)
    readHybrid(page.levels as HybridState, definition, 0, ready)
    page.left -= ready
    return true
  }

  return rows => {
    const offsets = new Int32Array(rows + 1)
    const bitmap = levels.list === 0 ? null : new Uint8Array((rows + 7) >> 3)
    const values = createValues(encoded, item, rows, pages)
    let itemBitmap = item.nullable ? new Uint8Array((rows + 7) >> 3) : null
    let row = -1
    let nullCount = 0
    let items = 0
    let nullItems = 0
    /** The level that the row at hand has begun with: more items may follow one. */
    let first = levels.list

    while (row < rows) {
      if (!isFilled()) {
        if (row + 1 < rows) throw corrupt('a column chunk has fewer rows than its row group')
        break
      }
      if (itemBitmap !== null && itemBitmap.length * 8 < items + ready - at) itemBitmap = twice(itemBitmap, LEVELS >> 3)
      const from = items
      let dense = 0
      for (; at < ready; at++) {
        const level = definition[at] as number
        if (level > levels.most) throw corrupt(`a level of ${level} where ${levels.most} is the highest`)
        if (repetition[at] === 0) {
          if (row + 1 === rows) break
          offsets[++row] = items
          if (level < levels.list) nullCount++
          else if (bitmap !== null) bitmap[row >> 3] |= 1 << (row & 7)
          first = level
        } else if (repetition[at] !== 1) throw corrupt(`a repetition level of ${repetition[at]} where 1 is the highest`)
        // An array of DuckDB that is null is so as often as it would have items.
        else if (first < levels.list && level < levels.list) continue
        else if (first < levels.item || level < levels.item)
          throw corrupt('an item is repeated in a list that has none')
        if (level < levels.item) continue
        if (level === levels.most) {
          if (itemBitmap !== null) itemBitmap[items >> 3] |= 1 << (items & 7)
          dense++
        }
        items++
      }
      if (items > MAX_MORSEL_ITEMS)
        throw unsupported(`lists of ${row + 1} rows have more than ${MAX_MORSEL_ITEMS} items, which a batch cannot`)
      if (items > from) values.put(page as unknown as OpenPage, from, items - from, dense, itemBitmap)
      nullItems += items - from - dense
      if (at < ready) break
    }

    offsets[rows] = items
    rowsRead += rows
    if (rowsRead === rowCount && isFilled()) throw corrupt('a column chunk has more rows than its row group')
    const validity = nullItems === 0 ? null : itemBitmap
    const placeOf = (i: number): number => offsets.findIndex((end, r) => r > 0 && end > i) - 1
    const child: PlainVector = {
      type: item,
      length: items,
      nullCount: nullItems,
      validity,
      ...values.finish(items, validity, placeOf),
    }
    const data = new Uint8Array(0)
    return {
      type,
      length: rows,
      nullCount,
      validity: nullCount === 0 ? null : bitmap,
      data,
      dictionary: null,
      offsets,
      child,
    }
  }
}

function twice(bitmap: Uint8Array, more: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bitmap.length * 2 + more)
  larger.set(bitmap)
  return larger
}
