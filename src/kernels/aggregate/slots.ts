/**
 * The slots of every group: one int64 lane or two for each accumulator that only adds, two lanes to a slot, updated a block of
 * rows at a time. Drawn in assembly/aggregate/slots.ts. What a lane means is its user's business: rows counted (aggregation.ts),
 * sums of one or two limbs (limbs.ts).
 *
 * Slots lie array by array, not group by group: rows are added to one array after another, and what one needs at a time is then all that the
 * caches have to hold.
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
  /** Each at or below 2^top in magnitude. */
  | { readonly kind: 'int32' | 'int64'; readonly data: number; readonly top: number }

/**
 * Adds rows `from` to `from + count` to lanes of `stride` bytes from group to group, a second lane 8 bytes on, with replicas as slots.ts in assembly/ has
 * them; `groups` (u32 pointer, of row `from`) may be 0: all to group 0. `room` has 16 bytes for each of `BLOCK_ROWS` and some more. Returns how many
 * it has added: where it could not go on, `promote` is called.
 */
export type AddRows = (
  to: number,
  stride: number,
  replica: number,
  groups: number,
  from: number,
  count: number,
  room: number,
) => number

export interface SlotUser {
  /** Lanes it needs, two of them in one slot, low and high. It tells `change` when this changes. */
  readonly lanes: 0 | 1 | 2
  /** What no group's sum is beyond in magnitude, the present rows included, where one lane holds it. */
  readonly bound: number
  /** The present rows as they are stored, where a kernel takes them so; else null. */
  stored(): StoredRows | null
  /** Adds its rows itself, any number of them; or writes what rows `from` to `from + count` add to `out`, `stride` bytes from row to row, a second lane 8 bytes on. */
  readonly rows:
    | { readonly add: AddRows }
    | { readonly fill: (from: number, count: number, out: number, stride: number) => void }
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

interface Step {
  /** How many rows it takes at a time: a block where addends are written first, else as many as there are. */
  readonly mostRows: number
  /** Adds rows `from` to `from + count` to the states at `to`, and returns how many it has. */
  readonly add: (to: number, replica: number, groups: number, from: number, count: number) => number
}

const inBlocks = (add: Step['add']): Step => ({ mostRows: BLOCK_ROWS, add })
const atOnce = (add: Step['add']): Step => ({ mostRows: Infinity, add })

/** Sums that stay below are packed. */
const MOST_PACKED = 2 ** 31
/** An array that has been asked for as lanes so often stays so: it would be packed anew for every few rows. */
const MOST_UNPACKINGS = 4

/** One array of slots, and who has its lanes: one user has both, or one or two have one each. */
interface SlotArray {
  readonly users: readonly SlotUser[]
  /** Bytes a group: 16, or 8 where there is but one lane, or where two are packed. */
  stride: number
  pointer: number
  /** Two lanes as one int64: until their bounds come near 2^31, or someone asks for a lane. */
  packed: boolean
  unpackings: number
  /** Whether any of its states may not be 0. */
  used: boolean
}

export function createSlots(k: Kernels): Slots {
  const { exports, memory } = k
  const users: SlotUser[] = []
  let arrays: SlotArray[] = []
  let capacity = 0
  let groupCount = 0
  let addends = 0

  const arrayOf = (user: SlotUser, among: readonly SlotArray[] = arrays) =>
    among.find(each => each.users.includes(user))

  const laneOf = (user: SlotUser, among?: readonly SlotArray[]): Lane => {
    const array = arrayOf(user, among)
    if (array === undefined) return { pointer: 0, stride: 0 }
    unpack(array)
    return { pointer: array.pointer + 8 * array.users.indexOf(user), stride: array.stride }
  }

  /**
   * An array for each user of two lanes, and for every two of the others: those whose users have the lanes that they had stay, for others there are empty
   * states for the groups there are. Returns these, and those that are left, as lanes.
   */
  const place = (size: number): { readonly made: readonly SlotArray[]; readonly left: readonly SlotArray[] } => {
    const stays = ({ users: all, stride }: SlotArray) =>
      all.length === 2 ? all.every(({ lanes }) => lanes === 1) : all[0].lanes === 2 && stride === 16
    const kept = arrays.filter(stays)
    const left = arrays.filter(array => !stays(array))
    for (const array of left) unpack(array)
    const placed = new Set(kept.flatMap(({ users: all }) => all))
    const others = users.filter(user => !placed.has(user))
    const alone = others.filter(user => user.lanes === 1)
    const shared = alone.flatMap((_, i) => (i % 2 === 0 ? [alone.slice(i, i + 2)] : []))
    const made = [...others.filter(user => user.lanes === 2).map(user => [user]), ...shared].map(each => ({
      users: each,
      stride: each.length === 1 && each[0].lanes === 1 ? 8 : 16,
      pointer: 0,
      packed: false,
      unpackings: 0,
      used: false,
    }))
    try {
      for (const array of made) {
        array.pointer = memory.allocate(array.stride * size)
        memory.u8.fill(0, array.pointer, array.pointer + array.stride * evenly(groupCount))
      }
    } catch (error) {
      freeArrays(made)
      throw error
    }
    arrays = [...kept, ...made]
    return { made, left }
  }

  /** Other states for an array, of another stride, which `fill` writes. */
  const restride = (array: SlotArray, stride: number, fill: (from: number, to: number) => void) => {
    const pointer = memory.allocate(stride * capacity)
    fill(array.pointer, pointer)
    memory.free(array.pointer)
    array.pointer = pointer
    array.stride = stride
    array.packed = stride === 8
  }

  const unpack = (array: SlotArray) => {
    array.used = true
    if (!array.packed) return
    restride(array, 16, (from, to) => exports.slotsUnpack(from, groupCount, to))
    array.unpackings++
  }

  /** Whether two lanes' rows may be added as packed; makes the array so, or so no longer. */
  const packs = (array: SlotArray): boolean => {
    const fits = array.users.every(user => user.bound < MOST_PACKED) && pairOf(array.users) !== null
    if (!fits) unpack(array)
    else if (!array.packed && array.unpackings < MOST_UNPACKINGS) {
      restride(array, 8, (from, to) => {
        if (array.used) exports.slotsPack(from, groupCount, to)
        else memory.u8.fill(0, to, to + 8 * evenly(groupCount))
      })
    }
    array.used = true
    return array.packed
  }

  const freeArrays = (old: readonly SlotArray[]) => {
    for (const { pointer } of old) memory.free(pointer)
  }

  /** `add` into zeroed copies of the states, which are then folded into them. */
  const withReplicas = <T>({ pointer, stride }: Lane, add: (to: number, replica: number) => T): T => {
    const mark = memory.mark()
    const byteLength = stride * evenly(groupCount)
    const replicas = memory.scratch(REPLICAS * byteLength)
    memory.u8.fill(0, replicas, replicas + REPLICAS * byteLength)
    const result = add(replicas, byteLength)
    for (let i = 0; i < REPLICAS; i++) exports.slotsFold(pointer, replicas + i * byteLength, byteLength / 8)
    memory.reset(mark)
    return result
  }

  const wholeSlot = (user: SlotUser): Step => {
    const { rows } = user
    if ('add' in rows) {
      return atOnce((to, replica, groups, from, count) => rows.add(to, 16, replica, groups, from, count, addends))
    }
    return inBlocks((to, replica, groups, from, count) => {
      rows.fill(from, count, addends, 16)
      if (groups === 0) exports.slotsReduce(to, addends, count)
      else exports.slotsAdd(to, replica, groups, addends, count)
      return count
    })
  }

  const oneLane = (user: SlotUser, { users: all, stride }: SlotArray, keyed: boolean): Step => {
    const lane = 8 * all.indexOf(user)
    const { rows } = user
    if ('add' in rows) {
      return atOnce((to, replica, groups, from, count) =>
        rows.add(to + lane, stride, replica, groups, from, count, addends),
      )
    }
    const stored = user.stored()
    const take = stored === null || !keyed ? inBlocks : atOnce
    return take((to, replica, groups, from, count) => {
      if (groups === 0) {
        if (stored?.kind === 'one') memory.i64[(to + lane) >>> 3] += BigInt(count)
        else {
          rows.fill(from, count, addends, 8)
          exports.slotsReduceLane(to + lane, addends, count)
        }
      } else if (stored?.kind === 'one') {
        exports.slotsAddOne(to + lane, stride, replica, groups, count)
      } else if (stored?.kind === 'int32') {
        exports.slotsAddI32(to + lane, stride, replica, groups, stored.data + 4 * from, count, addends)
      } else {
        if (stored === null) rows.fill(from, count, addends, 8)
        const values = stored?.kind === 'int64' ? stored.data + 8 * from : addends
        exports.slotsAddLane(to + lane, stride, replica, groups, values, count)
      }
      return count
    })
  }

  /** Both lanes of a slot at once, where there is a kernel for the two. */
  const twoLanes = (array: SlotArray): Step | null => {
    const pair = pairOf(array.users)
    if (pair === null) return null
    const packed = packs(array)
    const { data, other } = pair
    return atOnce((to, replica, groups, from, count) => {
      const [x, y] = [data + 4 * from, other === 0 ? 0 : other + 4 * from]
      const add = packed ? exports.slotsAddPacked : exports.slotsAddTwoI32
      add(to, replica, groups, x, y, count, addends)
      return count
    })
  }

  /**
   * Adds two int32 columns and 1 a row together, where their sums over these rows are certain to fit one int64 side by side, and tells whose they
   * were: none, if not. For few groups, whose states are read and written for every morsel anyway.
   */
  const addThree = (groups: number, rowCount: number): readonly SlotUser[] => {
    const pair = arrays.find(
      ({ users: both }) => pairOf(both) !== null && both.every(each => each.stored()?.kind === 'int32'),
    )
    const other = arrays.find(({ users: [user, none] }) => none === undefined && user.stored()?.kind === 'one')
    if (pair === undefined || other === undefined) return []
    const rowBits = 32 - Math.clz32(rowCount)
    const [x, y] = pair.users.map(each => each.stored() as StoredRows & { kind: 'int32' })
    const [low, middle] = [x.top + rowBits + 1, y.top + rowBits + 1]
    if (low + middle + rowBits + 1 > 64) return []
    const packed = packs(pair)
    other.used = true
    const mark = memory.mark()
    const byteLength = 8 * evenly(groupCount)
    const sums = memory.scratch(byteLength)
    memory.u8.fill(0, sums, sums + byteLength)
    withReplicas({ pointer: sums, stride: 8 }, (to, replica) =>
      exports.slotsAddThree(to, replica, groups, x.data, y.data, rowCount, low, low + middle, addends),
    )
    exports.slotsTakeThree(sums, groupCount, low, middle, pair.pointer, packed, other.pointer, other.stride)
    memory.reset(mark)
    return [...pair.users, ...other.users]
  }

  /** The next step of an array's users that have rows left to add, and who they are. */
  const stepOf = (
    array: SlotArray,
    pending: readonly SlotUser[],
    keyed: boolean,
  ): { readonly adding: readonly SlotUser[]; readonly step: Step } => {
    const [user] = pending
    array.used ||= user.lanes === 2
    if (user.lanes === 2) return { adding: pending, step: wholeSlot(user) }
    const step = keyed && pending.length === 2 ? twoLanes(array) : null
    if (step !== null) return { adding: pending, step }
    unpack(array)
    return { adding: [user], step: oneLane(user, array, keyed) }
  }

  return {
    lane: user => laneOf(user),
    add(user) {
      users.push(user)
    },
    change(user, convert) {
      if (capacity === 0) return
      const { made, left } = place(capacity)
      for (const { users: all } of made) {
        for (const other of all) {
          if (other === user) continue
          const [from, to] = [laneOf(other, left), laneOf(other, made)]
          for (let i = 0; i < other.lanes; i++) {
            exports.slotsCopy(to.pointer + 8 * i, to.stride, from.pointer + 8 * i, from.stride, groupCount)
          }
        }
      }
      convert(laneOf(user, left), laneOf(user, made))
      freeArrays(left)
    },
    resize(count) {
      if (count <= groupCount) return
      if (count > capacity) {
        const size = Math.max(evenly(count), capacity * 2)
        if (capacity === 0) place(size)
        else for (const array of arrays) array.pointer = memory.reallocate(array.pointer, array.stride * size)
        capacity = size
      }
      for (const { pointer, stride } of arrays) {
        memory.u8.fill(0, pointer + stride * groupCount, pointer + stride * evenly(count))
      }
      groupCount = count
    },
    update(groups, rowCount) {
      const replicated = groups !== 0 && groupCount <= MOST_REPLICATED_GROUPS && rowCount >= LEAST_REPLICATED_ROWS
      if (addends === 0) addends = memory.allocate(16 * BLOCK_ROWS + 32)
      const added = new Map<SlotUser, number>()
      const addedOf = (user: SlotUser) => added.get(user) ?? 0
      if (replicated) for (const user of addThree(groups, rowCount)) added.set(user, rowCount)
      for (let i = 0; i < arrays.length; ) {
        const array = arrays[i]
        const pending = array.users.filter(user => addedOf(user) < rowCount)
        if (pending.length === 0) {
          i++
          continue
        }
        const { adding, step } = stepOf(array, pending, groups !== 0)
        const run = (to: number, replica: number): number => {
          let row = addedOf(adding[0])
          while (row < rowCount) {
            const count = Math.min(step.mostRows, rowCount - row)
            const done = step.add(to, replica, groups === 0 ? 0 : groups + 4 * row, row, count)
            row += done
            if (done < count) break
          }
          return row
        }
        const row = replicated ? withReplicas(array, run) : run(array.pointer, 0)
        for (const user of adding) added.set(user, row)
        if (row === rowCount) continue
        // Its array may be gone, and one of a lone lane before it: what followed is at i - 1 then, and what is new comes last.
        adding[0].promote(row)
        i = Math.max(0, i - 1)
      }
    },
    free() {
      freeArrays(arrays)
      memory.free(addends)
      arrays = []
      addends = 0
    },
  }
}

/** Two int32 columns, or one and 1 a row: `other` is 0 then. Null for anything else. */
function pairOf(users: readonly SlotUser[]): { readonly data: number; readonly other: number } | null {
  if (users.length !== 2) return null
  const [a, b] = users.map(user => user.stored())
  if (a?.kind !== 'int32' || (b?.kind !== 'int32' && b?.kind !== 'one')) return null
  return { data: a.data, other: b.kind === 'int32' ? b.data : 0 }
}

/** Lone lanes are folded in pairs. */
const evenly = (count: number): number => count + (count & 1)
