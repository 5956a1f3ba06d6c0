/**
 * The lanes of every group in which moments.ts adds up sums until they are moved elsewhere: int64, in slots of two, updated by the kernels of
 * slots.ts a block of rows at a time. What they mean is said by their layout, moment-layout.ts.
 */
import type { Kernels } from '../instance.js'
import type { MomentField, MomentLayout } from './moment-layout.js'
import { BLOCK_ROWS } from './slots.js'

/** Few groups have copies of their lanes for alternate rows, so that rows of one group in a row do not wait for each other. */
const MOST_REPLICATED_GROUPS = 256
const LEAST_REPLICATED_ROWS = 4096

export interface MomentLanes {
  readonly layout: MomentLayout | null
  /** Where a block's addends are written, a slot a row; the next slot `pitch` on. */
  readonly addends: number
  readonly pitch: number
  /** Added since the layout was set or all was cleared. */
  readonly rows: number
  resize(groupCount: number): void
  /** Empty lanes of another layout. */
  setLayout(layout: MomentLayout): void
  /** Chooses copies for a batch of rows. */
  prepare(groups: number, rowCount: number): void
  /** Whether so many more rows, at most `BLOCK_ROWS`, may be added, whatever their groups. */
  reserve(rowCount: number): boolean
  /** Adds the addends to their groups (u32 pointer, or 0: all to group 0), or takes them back. */
  add(groups: number, count: number, retract: boolean): void
  /** All places that a field's values are in: pointers to that of group 0, `stride` from group to group. */
  places(field: MomentField): number[]
  readonly stride: number
  clear(): void
  free(): void
}

export function createMomentLanes(k: Kernels): MomentLanes {
  const { exports, memory } = k
  const pitch = 16 * BLOCK_ROWS + 64
  let layout: MomentLayout | null = null
  let state = 0
  let addends = 0
  let groupCount = 0
  let capacity = 0
  let copies = 1
  /** What `reserve` may still give away. */
  let room = 0
  let rows = 0

  const stride = () => 16 * (layout?.slots ?? 0)
  const copyBytes = () => stride() * capacity

  /** All lanes 0, of the present layout, capacity and copies. */
  const make = () => {
    memory.free(state)
    state = layout === null ? 0 : memory.allocate(copyBytes() * copies)
    clear()
  }
  const clear = () => {
    memory.u8.fill(0, state, state + copyBytes() * copies)
    room = layout?.rows ?? 0
    rows = 0
  }

  const setCopies = (count: number) => {
    if (count === copies) return
    const [from, bytes, had] = [state, copyBytes(), copies]
    const left = room
    const kept = rows
    copies = count
    state = 0
    make()
    for (let i = 0; i < had; i++) exports.slotsFold(state, from + i * bytes, bytes / 8)
    memory.free(from)
    room = left
    rows = kept
  }

  /** How much of a lane the fullest field has used, from 0 to 1. */
  const fullness = (): number => {
    const { form, fields } = layout as MomentLayout
    const bytes = copyBytes() * copies
    if (form !== 'packed') return 2 ** (exports.exactLimbBits(state, 8, bytes / 8) - 62)
    const mark = memory.mark()
    const out = memory.scratch(16)
    exports.momentsUnion(state, bytes / 16, out)
    const used = fields.map(({ lane, offset, width }) => {
      const bits = (BigInt.asUintN(64, memory.i64[(out >>> 3) + lane]) >> BigInt(offset)) & ((1n << BigInt(width)) - 1n)
      return bits.toString(2).length - width
    })
    memory.reset(mark)
    return 2 ** Math.max(...used)
  }

  return {
    get layout() {
      return layout
    },
    get addends() {
      return addends
    },
    get rows() {
      return rows
    },
    pitch,
    resize(count) {
      groupCount = count
      if (count <= capacity) return
      setCopies(1)
      const before = copyBytes()
      capacity = Math.max(count, capacity * 2)
      if (layout === null) return
      state = memory.reallocate(state, copyBytes())
      memory.u8.fill(0, state + before, state + copyBytes())
    },
    setLayout(next) {
      layout = next
      memory.free(addends)
      addends = memory.allocate(pitch * next.slots)
      copies = 1
      make()
    },
    prepare(groups, rowCount) {
      if (layout === null || groups === 0 || rowCount < LEAST_REPLICATED_ROWS) return
      // As many as slotsAdd1, slotsAdd2 and slotsAdd3 write to.
      setCopies(groupCount > MOST_REPLICATED_GROUPS ? 1 : layout.slots === 1 ? 4 : 2)
    },
    reserve(rowCount) {
      if (room >= rowCount) return true
      const full = fullness()
      if (full > 0.5) return false
      room = Math.floor((layout as MomentLayout).rows * (1 - full))
      return true
    },
    add(groups, count, retract) {
      const { slots } = layout as MomentLayout
      room -= count
      rows += count
      for (let slot = 0; slot < slots; slot++) {
        if (retract) exports.momentsNegate(addends + slot * pitch, count)
        if (groups === 0) exports.slotsReduce(state + 16 * slot, addends + slot * pitch, count)
      }
      if (groups === 0) return
      const replica = copies === 1 ? 0 : copyBytes()
      for (let slot = 0; slot < slots; slot += 3) {
        const to = state + 16 * slot
        const from = addends + slot * pitch
        if (slots - slot === 1) exports.slotsAdd1(to, stride(), replica, groups, from, count)
        else if (slots - slot === 2) exports.slotsAdd2(to, stride(), replica, groups, from, pitch, count)
        else exports.slotsAdd3(to, stride(), replica, groups, from, pitch, count)
      }
    },
    places: ({ lane }) => Array.from({ length: copies }, (_, i) => state + i * copyBytes() + 8 * lane),
    get stride() {
      return stride()
    },
    clear,
    free() {
      memory.free(state)
      memory.free(addends)
      state = 0
      addends = 0
    },
  }
}
