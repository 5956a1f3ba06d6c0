/**
 * The slots of every group: one int64 lane or two for each accumulator that only adds, side by side, updated together a block of
 * rows at a time. Drawn in assembly/aggregate/slots.ts. What a lane means is its user's business: rows counted (aggregation.ts),
 * sums of one or two limbs (limbs.ts).
 */
import type { Lane } from '../exact.js'
import type { Kernels } from '../instance.js'

/** A multiple of 8, so that a block begins at a byte of every bitmap; few enough for addends to stay in the first caches. */
export const BLOCK_ROWS = 2048
/** Few groups are replicated, so that rows of one group in a row do not wait for each other. */
const MOST_REPLICATED_GROUPS = 256
const LEAST_REPLICATED_ROWS = 4096
const REPLICAS = 4

export interface SlotUser {
  /** Lanes it needs, two of them in one slot, low and high. It tells `change` when this changes. */
  readonly lanes: 0 | 1 | 2
  /**
   * Writes what rows `from` to `from + count` add to `out`, `stride` bytes from row to row; a second lane 8 bytes on. False
   * where they cannot be written as the lanes are now; then nothing is added and `promote` called. Null: every row adds 1.
   */
  readonly fill: ((from: number, count: number, out: number, stride: number) => boolean) | null
  /** Changes its lanes so that the rows from `from` on can be added. */
  promote(from: number): void
}

export interface Slots {
  /** Where a user's lanes are until the next `add`, `resize`, `change` or `update`. */
  lane(user: SlotUser): Lane
  /** Takes on a user, while there are no groups. */
  add(user: SlotUser): void
  /** Gives a user the lanes it needs by now; `convert` carries its values over. */
  change(user: SlotUser, convert: (before: Lane, after: Lane) => void): void
  /** Groups beyond those there were begin with 0 in every lane. */
  resize(groupCount: number): void
  /** Adds all users' rows to their groups: a u32 pointer, or 0: all to group 0. */
  update(groups: number, rowCount: number): void
  free(): void
}

export function createSlots(k: Kernels): Slots {
  const { exports, memory } = k
  let users: readonly SlotUser[] = []
  let places = new Map<SlotUser, number>()
  let laneCount = 0
  let state = 0
  let capacity = 0
  let groupCount = 0
  let addends = 0

  const strideOf = (lanes: number) => (lanes === 1 ? 8 : 16 * Math.ceil(lanes / 2))
  const stride = () => strideOf(laneCount)
  const pitch = 16 * BLOCK_ROWS
  const rowStride = () => (laneCount === 1 ? 8 : 16)
  const addendsOf = (lane: number) => addends + (lane >>> 1) * pitch + (lane & 1) * 8

  /** Two-lane users first, each in a slot of its own; the others share what follows. */
  const place = () => {
    places = new Map()
    laneCount = 0
    for (const lanes of [2, 1]) {
      for (const user of users) {
        if (user.lanes !== lanes) continue
        places.set(user, laneCount)
        laneCount += lanes
      }
    }
    memory.free(addends)
    addends = 0
    if (laneCount > 0) addends = memory.allocate(Math.ceil(laneCount / 2) * pitch + 32)
    const { u32 } = memory
    u32.fill(0, addends >>> 2, (addends + Math.ceil(laneCount / 2) * pitch) >>> 2)
    for (const user of users) {
      const lane = places.get(user)
      if (user.fill !== null || lane === undefined) continue
      for (let row = 0; row < BLOCK_ROWS; row++) u32[(addendsOf(lane) + row * rowStride()) >>> 2] = 1
    }
  }

  const laneAt = (lane: number, pointer = state, bytes = stride()): Lane => ({
    pointer: pointer + 8 * lane,
    stride: bytes,
  })

  /** Adds a block that has been filled; `replica` bytes lie between the copies of the state at `to`. */
  const addBlock = (to: number, replica: number, groups: number, count: number) => {
    const slotCount = Math.ceil(laneCount / 2)
    if (groups === 0) {
      if (laneCount === 1) exports.slotsReduceLane(to, addends, count)
      else
        for (let slot = 0; slot < slotCount; slot++) exports.slotsReduce(to + 16 * slot, addends + slot * pitch, count)
    } else if (laneCount === 1) {
      exports.slotsAddLane(to, replica, groups, addends, count)
    } else {
      for (let slot = 0; slot < slotCount; ) {
        const at = to + 16 * slot
        const from = addends + slot * pitch
        const left = slotCount - slot
        if (left === 1) exports.slotsAdd1(at, stride(), replica, groups, from, count)
        else if (left === 2) exports.slotsAdd2(at, stride(), replica, groups, from, pitch, count)
        else exports.slotsAdd3(at, stride(), replica, groups, from, pitch, count)
        slot += Math.min(left, 3)
      }
    }
  }

  /** The first user that cannot write its rows, or undefined. */
  const fillBlock = (from: number, count: number) =>
    users.find(user => {
      const lane = places.get(user)
      return lane !== undefined && user.fill !== null && !user.fill(from, count, addendsOf(lane), rowStride())
    })

  /** As many blocks as can be filled, from row `from` on. Returns the row that the next begins at, and whose turn it is to give. */
  const addBlocks = (groups: number, from: number, rowCount: number, to: number, replica: number) => {
    while (from < rowCount) {
      const count = Math.min(BLOCK_ROWS, rowCount - from)
      const refusing = fillBlock(from, count)
      if (refusing !== undefined) return { from, refusing }
      addBlock(to, replica, groups === 0 ? 0 : groups + 4 * from, count)
      from += count
    }
    return { from, refusing: null }
  }

  /** `add` into zeroed copies of the state, which are then folded into it. */
  const withReplicas = <T>(add: (to: number, replica: number) => T): T => {
    const mark = memory.mark()
    const byteLength = Math.ceil((stride() * groupCount) / 16) * 16
    const replicas = memory.scratch(REPLICAS * byteLength)
    memory.u8.fill(0, replicas, replicas + REPLICAS * byteLength)
    const result = add(replicas, byteLength)
    for (let i = 0; i < REPLICAS; i++) exports.slotsFold(state, replicas + i * byteLength, byteLength / 8)
    memory.reset(mark)
    return result
  }

  return {
    lane: user => laneAt(places.get(user) as number),
    add(user) {
      users = [...users, user]
      place()
    },
    change(user, convert) {
      const before = { places, pointer: state, bytes: stride() }
      place()
      state = laneCount === 0 ? 0 : memory.allocate(stride() * capacity)
      memory.u8.fill(0, state, state + stride() * groupCount)
      for (const [other, lane] of places) {
        if (other === user) continue
        const from = before.pointer + 8 * (before.places.get(other) as number)
        for (let i = 0; i < other.lanes; i++) {
          exports.slotsCopy(state + 8 * (lane + i), stride(), from + 8 * i, before.bytes, groupCount)
        }
      }
      const lane = places.get(user)
      convert(
        laneAt(before.places.get(user) as number, before.pointer, before.bytes),
        lane === undefined ? { pointer: 0, stride: 0 } : laneAt(lane),
      )
      memory.free(before.pointer)
    },
    resize(count) {
      if (count <= groupCount) return
      if (count > capacity) {
        // Even, so that lone lanes can be folded in pairs.
        capacity = Math.max(count + (count & 1), capacity * 2)
        if (laneCount > 0) state = memory.reallocate(state, stride() * capacity)
      }
      if (laneCount > 0) memory.u8.fill(0, state + stride() * groupCount, state + stride() * (count + (count & 1)))
      groupCount = count
    },
    update(groups, rowCount) {
      if (laneCount === 1 && users.some(user => user.fill === null)) {
        countRows(groups, rowCount)
        return
      }
      let from = 0
      while (from < rowCount && laneCount > 0) {
        const start = from
        const add = (to: number, replica: number) => addBlocks(groups, start, rowCount, to, replica)
        const done = mayReplicate(groups, rowCount) ? withReplicas(add) : add(state, 0)
        from = done.from
        done.refusing?.promote(from)
      }
    },
    free() {
      memory.free(state)
      memory.free(addends)
      state = 0
      addends = 0
    },
  }

  function countRows(groups: number, rowCount: number): void {
    if (groups === 0) memory.i64[state >>> 3] += BigInt(rowCount)
    else if (mayReplicate(groups, rowCount)) {
      withReplicas((to, replica) => exports.slotsAddOne(to, replica, groups, rowCount))
    } else exports.slotsAddOne(state, 0, groups, rowCount)
  }

  function mayReplicate(groups: number, rowCount: number): boolean {
    return groups !== 0 && groupCount <= MOST_REPLICATED_GROUPS && rowCount >= LEAST_REPLICATED_ROWS
  }
}
