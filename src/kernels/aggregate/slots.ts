/**
 * The slots of every group: one int64 lane or two for each accumulator that only adds, side by side, updated together a block of
 * rows at a time. Drawn in assembly/aggregate/slots.ts. What a lane means is its user's business: rows counted (aggregation.ts),
 * sums of one or two limbs (limbs.ts).
 */
import type { Lane } from '../exact.js'
import type { Kernels } from '../instance.js'

/** A multiple of 8, so that a block begins at a byte of every bitmap; few enough for what it reads to stay in the first caches. */
export const BLOCK_ROWS = 2048
/** Few groups are replicated, so that rows of one group in a row do not wait for each other. */
const MOST_REPLICATED_GROUPS = 256
const LEAST_REPLICATED_ROWS = 4096
const REPLICAS = 4

/** How a user's rows can be added as they are, without addends being written first. */
export type StoredRows =
  | { readonly kind: 'one' }
  | { readonly kind: 'int32' | 'int64'; readonly data: number }
  | {
      readonly kind: 'limbs'
      readonly data: number
      readonly magic: number
      readonly highMagic: number
      readonly cap: number
    }

export interface SlotUser {
  /** Lanes it needs, two of them in one slot, low and high. It tells `change` when this changes. */
  readonly lanes: 0 | 1 | 2
  /** The present rows as they are stored, where a kernel takes them so; else null. */
  stored(): StoredRows | null
  /**
   * Writes what rows `from` to `from + count` add to `out`, `stride` bytes from row to row; a second lane 8 bytes on. False
   * where they cannot be written as the lanes are now; then nothing is added and `promote` called.
   */
  fill(from: number, count: number, out: number, stride: number): boolean
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

/** Adds rows `from` to `from + count` to the states at `to`. False where it cannot, with nothing added. */
type Step = (to: number, replica: number, groups: number, from: number, count: number) => boolean

export function createSlots(k: Kernels): Slots {
  const { exports, memory } = k
  let users: readonly SlotUser[] = []
  let places = new Map<SlotUser, number>()
  let laneCount = 0
  let state = 0
  let capacity = 0
  let groupCount = 0
  let addends = 0

  const stride = () => (laneCount === 1 ? 8 : 16 * Math.ceil(laneCount / 2))

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
  }

  const laneAt = (lane: number, pointer = state, bytes = stride()): Lane => ({
    pointer: pointer + 8 * lane,
    stride: bytes,
  })

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

  /** The next step of users that have rows left to add, and who they are. */
  const stepOf = (pending: readonly SlotUser[]): { readonly users: readonly SlotUser[]; readonly step: Step } => {
    const [first, second] = pending
    if (first.lanes === 2) return { users: [first], step: wholeSlot(first) }
    const lane = places.get(first) as number
    // Two lanes of one slot are added at once where there is a kernel for the two.
    const both = lane % 2 === 0 && second !== undefined && places.get(second) === lane + 1
    const step = both ? twoLanes(first, second) : null
    return step === null ? { users: [first], step: oneLane(first) } : { users: [first, second], step }
  }

  const wholeSlot = (user: SlotUser): Step => {
    const lane = 8 * (places.get(user) as number)
    const stored = user.stored()
    if (stored?.kind === 'limbs') {
      const { data, magic, highMagic, cap } = stored
      return (to, replica, groups, from, count) => {
        if (groups === 0) return filled(user, lane, to, from, count)
        const add = (undo: number) =>
          exports.slotsAddLimbs(
            to + lane,
            stride(),
            replica,
            groups,
            data + 8 * from,
            count,
            magic,
            highMagic,
            cap,
            undo as unknown as boolean,
          )
        if (add(0)) return true
        add(1)
        return false
      }
    }
    return (to, replica, groups, from, count) => {
      if (groups === 0) return filled(user, lane, to, from, count)
      if (!user.fill(from, count, addends, 16)) return false
      exports.slotsAdd(to + lane, stride(), replica, groups, addends, count)
      return true
    }
  }

  /** All rows to group 0. */
  const filled = (user: SlotUser, lane: number, to: number, from: number, count: number): boolean => {
    if (!user.fill(from, count, addends, user.lanes === 2 ? 16 : 8)) return false
    if (user.lanes === 2) exports.slotsReduce(to + lane, addends, count)
    else exports.slotsReduceLane(to + lane, addends, count)
    return true
  }

  const oneLane = (user: SlotUser): Step => {
    const lane = 8 * (places.get(user) as number)
    const stored = user.stored()
    return (to, replica, groups, from, count) => {
      if (groups === 0) {
        if (stored?.kind !== 'one') return filled(user, lane, to, from, count)
        memory.i64[(to + lane) >>> 3] += BigInt(count)
      } else if (stored?.kind === 'one') {
        exports.slotsAddOne(to + lane, stride(), replica, groups, count)
      } else if (stored?.kind === 'int32') {
        exports.slotsAddI32(to + lane, stride(), replica, groups, stored.data + 4 * from, count)
      } else {
        if (stored === null && !user.fill(from, count, addends, 8)) return false
        const rows = stored?.kind === 'int64' ? stored.data + 8 * from : addends
        exports.slotsAddLane(to + lane, stride(), replica, groups, rows, count)
      }
      return true
    }
  }

  const twoLanes = (first: SlotUser, second: SlotUser): Step | null => {
    const [a, b] = [first.stored(), second.stored()]
    if (a?.kind !== 'int32' || (b?.kind !== 'int32' && b?.kind !== 'one')) return null
    const lane = 8 * (places.get(first) as number)
    return (to, replica, groups, from, count) => {
      const other = b.kind === 'int32' ? b.data + 4 * from : 0
      exports.slotsAddTwoI32(to + lane, stride(), replica, groups, a.data + 4 * from, other, count)
      return true
    }
  }

  return {
    lane: user => laneAt(places.get(user) as number),
    add(user) {
      users = [...users, user]
      place()
      if (addends === 0) addends = memory.allocate(16 * BLOCK_ROWS + 32)
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
      const replicated = groups !== 0 && groupCount <= MOST_REPLICATED_GROUPS && rowCount >= LEAST_REPLICATED_ROWS
      const added = new Map<SlotUser, number>()
      const addedOf = (user: SlotUser) => added.get(user) ?? 0
      while (true) {
        const pending = [...places.keys()].filter(user => addedOf(user) < rowCount)
        if (pending.length === 0) return
        const { users: adding, step } = stepOf(groups === 0 ? pending.slice(0, 1) : pending)
        const run = (to: number, replica: number): number => {
          let row = addedOf(adding[0])
          for (; row < rowCount; row += BLOCK_ROWS) {
            const count = Math.min(BLOCK_ROWS, rowCount - row)
            if (!step(to, replica, groups === 0 ? 0 : groups + 4 * row, row, count)) return row
          }
          return rowCount
        }
        const row = replicated ? withReplicas(run) : run(state, 0)
        for (const user of adding) added.set(user, row)
        // Its lanes may move, and everyone else's with them.
        if (row < rowCount) adding[0].promote(row)
      }
    },
    free() {
      memory.free(state)
      memory.free(addends)
      state = 0
      addends = 0
    },
  }
}
