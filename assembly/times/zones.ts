// Instants to what a zone's clocks show, and back.
//
//   Zone (32 bytes)     starts      i64[count], ascending, in ticks: from when on an offset holds; the first is the least int64
//                       offsets     i64[count], in ticks, to be added to an instant
//   cycleFrom i64       What is not before cycleFrom has the offset of the time that is whole cycles (400 years) earlier, the least number of
//   cycle     i64       them that brings it before cycleFrom. A cycle of 0: there is nothing of the kind.

import { floorDiv } from '../civil'
import { isValid } from '../inline'

@unmanaged
class Zone {
  starts: usize
  offsets: usize
  count: u32
  unused: u32
  cycleFrom: i64
  cycle: i64
}

/** What is to be taken off to be before cycleFrom. */
// @ts-ignore: decorator
@inline
function cyclesOf(zone: Zone, value: i64): i64 {
  return zone.cycle == 0 || value < zone.cycleFrom ? 0 : (floorDiv(value - zone.cycleFrom, zone.cycle) + 1) * zone.cycle
}

// @ts-ignore: decorator
@inline
function startAt(zone: Zone, index: u32): i64 {
  return load<i64>(zone.starts + (usize(index) << 3))
}

// @ts-ignore: decorator
@inline
function offsetOf(zone: Zone, index: u32): i64 {
  return load<i64>(zone.offsets + (usize(index) << 3))
}

/** The last start that is not behind the instant; `hint` is tried first, since neighbours mostly agree. */
// @ts-ignore: decorator
@inline
function segmentOf(zone: Zone, instant: i64, hint: u32): u32 {
  if (startAt(zone, hint) <= instant && (hint + 1 == zone.count || instant < startAt(zone, hint + 1))) return hint
  return search(zone, instant)
}

function search(zone: Zone, instant: i64): u32 {
  let low: u32 = 0
  let high = zone.count
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (startAt(zone, middle) <= instant) low = middle
    else high = middle
  }
  return low
}

/** What clocks show at instants; returns the least valid row for which that is beyond int64, or -1. */
export function timesToLocal(pointer: usize, data: usize, validity: usize, rowCount: u32, out: usize): i32 {
  const zone = changetype<Zone>(pointer)
  let segment: u32 = 0
  let failed: i32 = -1
  for (let row: u32 = 0; row < rowCount; row++) {
    const instant = load<i64>(data + (usize(row) << 3))
    segment = segmentOf(zone, instant - cyclesOf(zone, instant), segment)
    const offset = offsetOf(zone, segment)
    const local = instant + offset
    if (((instant ^ local) & (offset ^ local)) < 0 && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), local)
  }
  return failed
}

/**
 * Instants at which clocks show what `data` says; of two the earlier. What they never show, where they are put forward: by `how` 0 as much later as
 * they are put forward, else when they are. By `how` 2 those offsets are preferred which were in force at `instants`. `reach` is more than any offset.
 * Returns the least valid row beyond int64, or -1.
 */
export function timesToInstant(
  pointer: usize, how: u32, reach: i64, data: usize, instants: usize, validity: usize, rowCount: u32, out: usize,
): i32 {
  const zone = changetype<Zone>(pointer)
  let failed: i32 = -1
  let segment: u32 = 0
  let preferred: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    const cycles = cyclesOf(zone, value)
    const local = value - cycles
    let offset: i64 = 0
    let isSettled = false
    if (how == 2) {
      const was = load<i64>(instants + (usize(row) << 3))
      preferred = segmentOf(zone, was - cyclesOf(zone, was), preferred)
      offset = offsetOf(zone, preferred)
      isSettled = offsetOf(zone, segmentOf(zone, local - offset, preferred)) == offset
    }
    if (!isSettled) {
      segment = segmentOf(zone, local < i64.MIN_VALUE + reach ? i64.MIN_VALUE : local - reach, segment)
      while (segment + 1 < zone.count && local >= startAt(zone, segment + 1) + offsetOf(zone, segment)) segment++
      offset = offsetOf(zone, segment)
      if (segment > 0 && local < startAt(zone, segment) + offset) {
        offset = how == 0 ? offsetOf(zone, segment - 1) : local - startAt(zone, segment)
      }
    }
    const instant = value - offset
    if (((value ^ offset) & (value ^ instant)) < 0 && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), instant)
  }
  return failed
}

/**
 * Instants after those of `data` at which clocks first show a multiple of `size`, or pass one, as they are put forward. Returns the least valid row
 * beyond int64, or -1.
 */
export function timesNext(pointer: usize, size: i64, data: usize, validity: usize, rowCount: u32, out: usize): i32 {
  const zone = changetype<Zone>(pointer)
  let failed: i32 = -1
  let segment: u32 = 0
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = load<i64>(data + (usize(row) << 3))
    const cycles = cyclesOf(zone, value)
    let at = value - cycles
    segment = segmentOf(zone, at, segment)
    let next = (floorDiv(at + offsetOf(zone, segment), size) + 1) * size
    let now = segment
    let instant = next - offsetOf(zone, now)
    while (now + 1 < zone.count && instant >= startAt(zone, now + 1)) {
      at = startAt(zone, ++now)
      const local = at + offsetOf(zone, now)
      if (local >= next) {
        instant = at
        break
      }
      next = -floorDiv(-local, size) * size
      instant = next - offsetOf(zone, now)
    }
    instant += cycles
    if (instant <= value && failed < 0 && isValid(validity, row)) failed = row
    store<i64>(out + (usize(row) << 3), instant)
  }
  return failed
}
