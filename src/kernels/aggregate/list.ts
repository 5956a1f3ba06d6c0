/**
 * All values of every group in the order of their rows, as lists, or where they are strings joined to one. Rows are kept as they come, and put side by
 * side (by-group.ts) where results or states are made of them. Kernels are in assembly/aggregate/list.ts.
 */
import { int32, isFloat } from '../../columnar/type.js'
import { bitmapBytes } from '../bitmap.js'
import type { LaneVector } from '../lane-vector.js'
import { elementBytes } from '../operand.js'
import { rangeIndices, take } from '../select.js'
import type { LaneDictionary } from '../text.js'
import { type Accumulator, type AccumulatorContext, type AggregateSpec, type Family, numbers } from './accumulator.js'
import { expandGroups, indexMap, lists, placesOf } from './by-group.js'
import type { StateReader, StateWriter } from './state-bytes.js'
import { createTextStates } from './text-states.js'

/** What is kept is the same whatever it is joined by. */
export const list: Family = {
  counts: false,
  share: () => 'list',
  create: createList,
}

/** Rows that lie together: those of some calls of `update`, or a merged state. */
interface Part {
  readonly groups: number
  readonly values: number
  /** u32 each, to add to `base`; where `base` is negative u64, positions themselves. */
  readonly places: number
  readonly base: number
  readonly capacity: number
  length: number
}

const MOST_ROWS = 65_536
const LEAST_ROWS = 256

function createList(context: AccumulatorContext, { inputs: [type] }: AggregateSpec): Accumulator {
  const { k, dictionaries } = context
  const { exports, memory } = k
  const { kind } = type
  const item = { ...type, nullable: false }
  const kept = kind === 'bool' ? int32() : item
  const width = elementBytes(kept.kind)
  const texts = kind === 'utf8' ? createTextStates(context) : null
  const parts: Part[] = []
  /** The last of them, if rows may be added to it. */
  let open: Part | null = null
  /** Whether there are states by group among them: then rows are not in order. */
  let merged = false
  let groupCount = 0
  /** Of strings that were joined. */
  let joined: LaneDictionary | null = null

  const addPart = (capacity: number, length: number, base: number): Part => {
    const part = { groups: 0, values: 0, places: 0, base, capacity, length }
    // First of all, so that it is freed even where memory for the rest of it is refused.
    parts.push(part)
    part.groups = memory.allocate(4 * capacity)
    part.values = memory.allocate(width * capacity)
    part.places = memory.allocate((base < 0 ? 8 : 4) * capacity)
    return part
  }

  const partFor = (position: number, rowCount: number, count: number): Part => {
    const fits = open !== null && open.length + count <= open.capacity && position + rowCount - open.base <= 2 ** 32
    if (!fits) {
      const capacity = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, 2 * (open?.length ?? 0)))
      open = addPart(Math.max(count, capacity), 0, position)
    }
    return open as Part
  }

  const copy = (from: number, byteLength: number, to: number) => memory.u8.copyWithin(to, from, from + byteLength)

  const taken = (values: number, indices: number, count: number): number =>
    take(k, numbers(kept, count, values), indices, count).data

  const lastOf = ({ base, places, length }: Part): number => base + memory.u32[(places >>> 2) + length - 1]

  /** Values of chosen groups side by side, in order, and their positions where they are asked for. */
  const sideBySide = (groups: number, count: number, positioned: boolean) => {
    const places = placesOf(k, parts, groupCount, groups, count)
    const { total, offsets } = places
    const ascending = [...parts].sort((a, b) => a.base - b.base)
    // As long as rows of a split are all of one lane.
    const areInOrder = !merged && ascending.every((part, i) => i === 0 || lastOf(ascending[i - 1]) < part.base)
    let values = memory.scratch(width * total + 16)
    for (const part of ascending) places.move(part, part.values, width, values)
    let positions = 0
    if (positioned || !areInOrder) {
      places.rewind()
      positions = memory.scratch(8 * total)
      for (const part of ascending) {
        const mark = memory.mark()
        const own = part.base < 0 ? part.places : memory.scratch(8 * part.length)
        if (part.base >= 0) exports.listWiden(part.places, part.length, part.base, own)
        places.move(part, own, 8, positions)
        memory.reset(mark)
      }
    }
    if (!areInOrder) {
      const indices = memory.scratch(4 * total)
      exports.sortIota(total, indices)
      const room = [memory.scratch(8 * total), memory.scratch(4 * total)] as const
      exports.listSort(positions, indices, ...room, offsets, count)
      values = taken(values, indices, total)
    }
    if (isFloat(kind)) exports.statesFloats(values, width, total)
    return { total, offsets, values, positions }
  }

  /** Rows as they came, behind the index of each group in them. */
  const writeRows = (writer: StateWriter, groups: number, count: number) => {
    writer.lane(k, groups === 0 ? rangeIndices(k, 0, count) : groups, 4 * count)
    writer.u32(parts.length)
    const base = memory.scratch(8)
    for (const part of parts) {
      memory.f64[base >>> 3] = part.base
      writer.lane(k, base, 8)
      writer.u32(part.length)
      writer.lane(k, part.groups, 4 * part.length)
      writer.lane(k, part.places, 4 * part.length)
      if (texts === null) writer.lane(k, part.values, width * part.length)
    }
    if (texts === null) return
    const total = parts.reduce((sum, { length }) => sum + length, 0)
    const values = memory.scratch(width * total)
    let to = values
    for (const part of parts) {
      copy(part.values, width * part.length, to)
      to += width * part.length
    }
    texts.writeRepeated(writer, values, total)
  }

  const readRows = (reader: StateReader, groupMap: number, count: number) => {
    const map = indexMap(k, reader.lane(k, 4 * count), groupMap, count)
    const theirs: Part[] = []
    for (let left = reader.u32(); left > 0; left--) {
      const mark = memory.mark()
      const at = reader.lane(k, 8)
      const base = memory.f64[at >>> 3]
      const length = reader.u32()
      const part = addPart(length, length, base)
      const groups = reader.lane(k, 4 * length)
      if (map === 0) copy(groups, 4 * length, part.groups)
      else exports.textRemap(groups, length, map, part.groups)
      copy(reader.lane(k, 4 * length), 4 * length, part.places)
      if (texts === null) copy(reader.lane(k, width * length), width * length, part.values)
      theirs.push(part)
      memory.reset(mark)
    }
    if (texts === null) return
    let from = texts.readRepeated(
      reader,
      theirs.reduce((sum, { length }) => sum + length, 0),
    )
    for (const part of theirs) {
      copy(from, width * part.length, part.values)
      from += width * part.length
    }
  }

  const columnOf = (values: number, total: number): LaneVector => {
    if (texts !== null) return { ...numbers(item, total, values), dictionary: texts.known() }
    if (kind !== 'bool') return numbers(item, total, values)
    const bits = memory.scratch(bitmapBytes(total))
    exports.minMaxBits(values, total, bits)
    return numbers(item, total, bits)
  }

  const join = (separator: string): LaneVector => {
    const { offsets, values } = sideBySide(0, groupCount, false)
    const entries = (texts as NonNullable<typeof texts>).dictionary()
    const between = new TextEncoder().encode(separator)
    const glue = memory.scratch(between.length + 16)
    memory.u8.set(between, glue)
    const starts = memory.scratch(4 * (groupCount + 1))
    const { length } = between
    const byteLength = exports.listJoinOffsets(values, offsets, groupCount, entries.offsets, length, starts)
    // Beyond what a lane can have, this says so.
    const bytes = memory.scratch(byteLength + 16)
    exports.listJoinBytes(values, offsets, groupCount, entries.offsets, entries.bytes, glue, length, bytes)
    joined ??= dictionaries.create()
    const codes = memory.scratch(4 * groupCount)
    joined.intern(starts, bytes, 0, groupCount, codes)
    return { ...numbers(item, groupCount, codes), dictionary: joined }
  }

  return {
    kernel: `${kind} rows`,
    resize(count) {
      groupCount = count
    },
    update({ vectors: [vector], validity, groups, rowCount, valueCount, position }) {
      const mark = memory.mark()
      let data = texts === null ? vector.data : texts.codes(vector)
      if (kind === 'bool') {
        data = memory.scratch(4 * rowCount)
        exports.minMaxImagesBits(data, vector.data, 0, 0n, rowCount)
      }
      let rows = 0
      if (validity !== 0) {
        rows = memory.scratch(4 * rowCount + 16)
        exports.selectIndices(validity, rowCount, rows)
      }
      const part = partFor(position, rowCount, valueCount)
      const { length } = part
      const toGroups = part.groups + 4 * length
      const toValues = part.values + width * length
      if (groups === 0) memory.u32.fill(0, toGroups >>> 2, (toGroups >>> 2) + valueCount)
      else if (rows === 0) copy(groups, 4 * valueCount, toGroups)
      else exports.selectTake32(groups, rows, valueCount, toGroups)
      copy(rows === 0 ? data : taken(data, rows, valueCount), width * valueCount, toValues)
      exports.listPlaces(rows, valueCount, position - part.base, part.places + 4 * length)
      part.length += valueCount
      memory.reset(mark)
    },
    // Where each group's rows begin; the least position, or -1, and what to add to it, or positions; the values. Between lanes a word comes first: 1 where
    // there are rows as they came instead.
    write(writer, groups, count) {
      const mark = memory.mark()
      const asTheyCame = writer.ofAll && !merged
      if (writer.forLane) writer.u32(Number(asTheyCame))
      if (asTheyCame) {
        writeRows(writer, groups, count)
        memory.reset(mark)
        return
      }
      const { total, offsets, values, positions } = sideBySide(groups, count, true)
      const base = memory.scratch(8)
      const narrow = memory.scratch(4 * total)
      const least = exports.listNarrow(positions, total, narrow)
      memory.f64[base >>> 3] = least
      writer.lane(k, offsets, 4 * (count + 1))
      writer.lane(k, base, 8)
      if (least < 0) writer.lane(k, positions, 8 * total)
      else writer.lane(k, narrow, 4 * total)
      if (texts === null) writer.lane(k, values, width * total)
      else texts.writeRepeated(writer, values, total)
      memory.reset(mark)
    },
    merge(reader, groupMap, count) {
      const mark = memory.mark()
      if (reader.forLane && reader.u32() === 1) {
        readRows(reader, groupMap, count)
        memory.reset(mark)
        return
      }
      const offsets = reader.lane(k, 4 * (count + 1))
      const total = memory.u32[(offsets >>> 2) + count]
      const at = reader.lane(k, 8)
      const base = memory.f64[at >>> 3]
      const placeBytes = base < 0 ? 8 : 4
      const places = reader.lane(k, placeBytes * total)
      const values = texts === null ? reader.lane(k, width * total) : texts.readRepeated(reader, total)
      if (total > 0) {
        const groups = expandGroups(k, groupMap, offsets, count, total)
        const part = addPart(total, total, base)
        copy(groups, 4 * total, part.groups)
        copy(places, placeBytes * total, part.places)
        copy(values, width * total, part.values)
        merged = true
      }
      memory.reset(mark)
    },
    evaluate({ function: name, parameters: { separator } }) {
      if (name === 'join') return join(separator as string)
      const { total, offsets, values } = sideBySide(0, groupCount, false)
      return lists(item, groupCount, offsets, columnOf(values, total))
    },
    free() {
      for (const { groups, values, places } of parts.splice(0)) {
        for (const block of [groups, values, places]) memory.free(block)
      }
      open = null
      if (joined !== null) dictionaries.release(joined)
      joined = null
      texts?.free()
    },
  }
}
