/**
 * The n greatest or least values of every group where n is great or values are strings: rows that may be wanted are kept as they come, and cut to
 * n a group when there is no more room. So a group takes what it has, not n. Drawn in assembly/aggregate/top-k.ts.
 */
import type { DataType } from '../../columnar/type.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { type Accumulator, type AccumulatorContext, type AccumulatorRows, numbers } from './accumulator.js'
import { expandGroups, lists, placesOf } from './by-group.js'
import { createGroupArray, type GroupArray } from './group-array.js'
import { createImages } from './images.js'
import type { StateReader, StateWriter } from './state-bytes.js'
import { createTextRanks } from './text-ranks.js'
import { createTextStates } from './text-states.js'

/** Where rows go, u32 groups and u64 keys, with room for as many as are added. */
type Append = (to: { readonly groups: number; readonly keys: number }) => number
type Add = (count: number, append: Append) => void

/** What keys are, and what becomes of them. */
interface Keys {
  /** Which bits of a sorted key stay. */
  readonly mask: bigint
  /** Calls `add` with how many rows there are and what appends those above the limits and returns how many. */
  update(rows: AccumulatorRows, add: Add): void
  /** Makes keys comparable as they are, in place. */
  order(keys: number, count: number): void
  write(writer: StateWriter, keys: number, count: number): void
  /** The same with what `write` wrote. */
  read(reader: StateReader, groups: number, count: number, add: Add): void
  /** Values of keys, laid out as `topKeptImages` does. */
  values(count: number, write: (bytes: number, flip: bigint, out: number) => void): LaneVector
  free(): void
}

export function createTopRows(context: AccumulatorContext, type: DataType, top: boolean, n: number): Accumulator {
  const { k } = context
  const { exports, memory } = k
  const item = { ...type, nullable: false }
  const text = type.kind === 'utf8'
  const limits = createGroupArray(k, 8, [text ? -1 : 0])
  const keys = text ? textKeys(context, item, top, limits) : numberKeys(k, item, top, limits)
  let groupCount = 0
  const rows = { groups: 0, keys: 0, length: 0 }
  let capacity = 0

  const cut = () => {
    const mark = memory.mark()
    const places = placesOf(k, [rows], groupCount, 0, groupCount)
    const sorted = memory.scratch(8 * rows.length)
    places.move(rows, rows.keys, 8, sorted)
    keys.order(sorted, rows.length)
    const { offsets } = places
    const to = [limits.pointer, rows.groups, rows.keys] as const
    rows.length = exports.topCut(sorted, offsets, groupCount, n, keys.mask, ...to) >>> 0
    memory.reset(mark)
  }

  const reserve = (count: number) => {
    if (rows.length + count <= capacity) return
    cut()
    // A cut looks at every row and every group, so there is to be one only after as many more rows.
    const wanted = rows.length + count + Math.max(count, rows.length, groupCount)
    if (wanted <= capacity) return
    rows.groups = memory.reallocate(rows.groups, 4 * wanted)
    rows.keys = memory.reallocate(rows.keys, 8 * wanted)
    capacity = wanted
  }

  const add: Add = (count, append) => {
    reserve(count)
    const { groups, keys: values, length } = rows
    rows.length += append({ groups: groups + 4 * length, keys: values + 8 * length })
  }

  return {
    kernel: `${type.kind} rows`,
    resize(count) {
      groupCount = count
      limits.resize(count)
    },
    update(taken) {
      const mark = memory.mark()
      keys.update(taken, add)
      memory.reset(mark)
    },
    // Where each group's keys begin, then the keys, best first.
    write(writer, groups, count) {
      cut()
      const mark = memory.mark()
      const places = placesOf(k, [rows], groupCount, groups, count)
      const { total } = places
      const chosen = memory.scratch(8 * total)
      places.move(rows, rows.keys, 8, chosen)
      writer.lane(k, places.offsets, 4 * (count + 1))
      keys.write(writer, chosen, total)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      const offsets = reader.lane(k, 4 * (count + 1))
      const total = memory.u32[(offsets >>> 2) + count]
      const groups = expandGroups(k, groupMap, offsets, count, total)
      keys.read(reader, groups, total, add)
      memory.reset(mark)
    },
    evaluate(_, counts) {
      cut()
      const offsets = memory.scratch(4 * (groupCount + 1))
      const total = exports.topOffsets(counts, groupCount, n, offsets) >>> 0
      const kept = placesOf(k, [rows], groupCount, 0, groupCount).offsets
      const child = keys.values(total, (bytes, flip, out) =>
        exports.topKeptImages(rows.keys, kept, bytes, flip, offsets, groupCount, out),
      )
      return lists(item, groupCount, offsets, child)
    },
    free() {
      memory.free(rows.groups)
      memory.free(rows.keys)
      Object.assign(rows, { groups: 0, keys: 0, length: 0 })
      capacity = 0
      limits.free()
      keys.free()
    },
  }
}

function numberKeys(k: Kernels, item: DataType, top: boolean, limits: GroupArray): Keys {
  const { exports, memory } = k
  const images = createImages(k, item)
  const { bytes, greatest } = images
  const flip = top ? greatest + 1n : greatest
  return {
    mask: -1n,
    update({ vectors: [{ data }], validity, groups, rowCount }, add) {
      images.each(data, validity, rowCount, top ? ~greatest : greatest, (from, row, count) =>
        add(count, to => {
          const own = groups === 0 ? 0 : groups + 4 * row
          return exports.topAppend(limits.pointer, own, from, bytes, flip, count, to.groups, to.keys)
        }),
      )
    },
    order() {},
    write(writer, keys, count) {
      writer.lane(k, keys, 8 * count)
    },
    read(reader, groups, count, add) {
      const keys = reader.lane(k, 8 * count)
      add(count, to => exports.topAppend(limits.pointer, groups, keys, 8, 0n, count, to.groups, to.keys))
    },
    values(count, write) {
      const found = memory.scratch(bytes * count)
      write(bytes, flip, found)
      return numbers(item, count, images.values(found, count))
    },
    free() {},
  }
}

function textKeys(context: AccumulatorContext, item: DataType, top: boolean, limits: GroupArray): Keys {
  const { k } = context
  const { exports, memory } = k
  const texts = createTextStates(context)
  const ranks = createTextRanks(k)
  const wanted = top ? 1 : -1
  const append =
    (groups: number, codes: number, validity: number, count: number): Append =>
    to => {
      const order = ranks.of(texts.dictionary())
      return exports.topAppendText(limits.pointer, groups, codes, validity, count, wanted, ...order, to.groups, to.keys)
    }
  const codesOf = (keys: number, count: number) => {
    const codes = memory.scratch(4 * count)
    exports.statesTake(keys, 8, 4, 0, count, codes)
    return codes
  }
  return {
    mask: 0xffffffffn,
    update({ vectors: [vector], validity, groups, rowCount }, add) {
      add(rowCount, append(groups, texts.codes(vector), validity, rowCount))
    },
    order(keys, count) {
      if (count > 0) exports.topRanked(keys, count, texts.dictionary().ranks(), top ? 0 : -1)
    },
    write(writer, keys, count) {
      texts.write(writer, codesOf(keys, count), 0, count)
    },
    read(reader, groups, count, add) {
      const { codes } = texts.read(reader, count)
      add(count, append(groups, codes, 0, count))
    },
    values(count, write) {
      const codes = memory.scratch(4 * count)
      write(4, 0n, codes)
      return { ...numbers(item, count, codes), dictionary: texts.known() }
    },
    free() {
      texts.free()
      ranks.free()
    },
  }
}
