/**
 * The lanes of every group in which moments.ts adds up sums until they are moved elsewhere: int64, two to a slot, an array for every slot.
 * What they mean is said by their layout, moment-layout.ts; drawn in assembly/aggregate/moments.ts.
 */
import type { Kernels } from '../instance.js'
import type { MomentField, MomentLayout } from './moment-layout.js'

/** Few groups have a second copy of their lanes for every other row, so that rows of one group in a row do not wait for each other. */
const MOST_COPIED_GROUPS = 256
const LEAST_COPIED_ROWS = 4096

export interface MomentLanes {
  readonly layout: MomentLayout | null
  /** Where the first array of slots is, how far on the next, and how far the copy of all: 0 where there is none. */
  readonly state: number
  readonly pitch: number
  readonly copy: number
  /** Added since the layout was set or all was cleared. */
  readonly rows: number
  resize(groupCount: number): void
  /** Empty lanes of another layout. */
  setLayout(layout: MomentLayout): void
  /** Chooses whether there is a copy, for a batch of rows. */
  prepare(rowCount: number): void
  /** Provides for so many more rows, at most a quarter of those of the layout, whatever their groups. False where lanes could overflow. */
  reserve(rowCount: number): boolean
  /** How much of a lane the fullest has used, from 0 to 1: a power of two, and 0 only where nothing was added. */
  fullness(): number
  /** Provides for lanes of the same layout that are so full to be added. False where they could overflow. */
  absorb(fullness: number): boolean
  /** Leaves no copy. */
  join(): void
  /** All places that a field's values are in: pointers to that of group 0, 16 bytes from group to group. */
  places(field: MomentField): number[]
  clear(): void
  free(): void
}

export function createMomentLanes(k: Kernels): MomentLanes {
  const { exports, memory } = k
  let layout: MomentLayout | null = null
  let state = 0
  let groupCount = 0
  let capacity = 0
  let copies = 1
  /** What `reserve` may still give away. */
  let room = 0
  let rows = 0

  const pitch = () => 16 * capacity
  const copyBytes = () => pitch() * (layout?.slots ?? 0)

  /** Lanes of the present layout, capacity and copies, all 0. */
  const make = () => {
    state = layout === null ? 0 : memory.allocate(copyBytes() * copies)
    memory.u8.fill(0, state, state + copyBytes() * copies)
  }
  const clear = () => {
    memory.u8.fill(0, state, state + copyBytes() * copies)
    room = layout?.rows ?? 0
    rows = 0
  }

  /** Other numbers of groups and of copies; what there is stays. */
  const remake = (nextCapacity: number, nextCopies: number) => {
    if (nextCapacity === capacity && nextCopies === copies) return
    const [from, bytes, had, fromPitch] = [state, copyBytes(), copies, pitch()]
    capacity = nextCapacity
    copies = nextCopies
    make()
    for (let slot = 0; slot < (layout?.slots ?? 0); slot++) {
      for (let i = 0; i < had; i++) {
        exports.slotsFold(state + slot * pitch(), from + i * bytes + slot * fromPitch, fromPitch / 8)
      }
    }
    memory.free(from)
  }

  const fullness = (): number => {
    if (layout === null || rows === 0) return 0
    const { form, fields } = layout
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
    get state() {
      return state
    },
    get pitch() {
      return pitch()
    },
    get copy() {
      return copies === 1 ? 0 : copyBytes()
    },
    get rows() {
      return rows
    },
    resize(count) {
      groupCount = count
      if (count > capacity) remake(Math.max(count, capacity * 2), copies)
    },
    setLayout(next) {
      memory.free(state)
      layout = next
      make()
      clear()
    },
    prepare(rowCount) {
      if (groupCount > MOST_COPIED_GROUPS) remake(capacity, 1)
      else if (rowCount >= LEAST_COPIED_ROWS) remake(capacity, 2)
    },
    reserve(rowCount) {
      if (room < rowCount) {
        const full = fullness()
        if (full > 0.5) return false
        room = Math.floor((layout as MomentLayout).rows * (1 - full))
      }
      room -= rowCount
      rows += rowCount
      return true
    },
    fullness,
    absorb(other) {
      const full = fullness() + other
      if (full > 0.5) return false
      room = Math.floor((layout as MomentLayout).rows * (1 - full))
      rows += 1
      return true
    },
    join: () => remake(capacity, 1),
    places: ({ lane }) =>
      Array.from({ length: copies }, (_, i) => state + i * copyBytes() + (lane >> 1) * pitch() + 8 * (lane & 1)),
    clear,
    free() {
      memory.free(state)
      state = 0
    },
  }
}
