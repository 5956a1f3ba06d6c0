// Joins: the keys of both sides as words, a look-up of rows by key, and pairs of rows.
//
//   key columns -> words (u64 a row) and a bitmap of the rows whose key may be equal to some other -> ids (u32 a row, NONE where no row of the
//   other side has the key) -> rows of the other side:
//
//     rowOf    i32[ids]        the only row with the key, -1 where there is none; or
//     bits     a bit an id     whether any row has the key, where that is all that is asked; or
//     starts   u32[ids + 1]    rows[starts[id] .. starts[id + 1]) have it, ascending
//
// Several keys become one word, each as its distance from the least that the side has, times a stride. A word is an id as it is where few are
// possible; else parted-index.ts has the row, or the id, of each word that the side has.

// @ts-ignore: decorator
@inline
const NONE: u32 = 0xffffffff
// @ts-ignore: decorator
@inline
const NAN64: u64 = 0x7ff8000000000000

// @ts-ignore: decorator
@inline
function isSet(bitmap: usize, row: u32): bool {
  return bitmap == 0 || ((load<u8>(bitmap + usize(row >> 3)) >> u8(row & 7)) & 1) != 0
}

/** Bits to words 0 and 1. */
export function joinWordsBits(data: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) store<u64>(out + (usize(i) << 3), u64((load<u8>(data + usize(i >> 3)) >> u8(i & 7)) & 1))
}

/** Doubles in their canonical form: one zero, one NaN. */
export function joinWordsFloats(data: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(data + (usize(i) << 3))
    store<u64>(out + (usize(i) << 3), value != value ? NAN64 : reinterpret<u64>(value + 0.0))
  }
}

/** Doubles that are whole numbers of int64 as these; the bits of all others, and of rows that have none in `validity` (or 0), are cleared in `valid`. */
export function joinWordsWhole(data: usize, validity: usize, count: u32, out: usize, valid: usize): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) {
      const value = load<f64>(data + (usize(i) << 3))
      const fits = value >= -9223372036854775808.0 && value < 9223372036854775808.0
      const whole = fits ? i64(value) : 0
      store<i64>(out + (usize(i) << 3), whole)
      bits |= u32(fits && f64(whole) == value && isSet(validity, i)) << (i - from)
    }
    store<u8>(valid + usize(from >> 3), u8(bits))
  }
}

/** int64 that `divisor` divides, divided; others as above. */
export function joinWordsDivided(data: usize, validity: usize, divisor: i64, count: u32, out: usize, valid: usize): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) {
      const value = load<i64>(data + (usize(i) << 3))
      const quotient = value / divisor
      store<i64>(out + (usize(i) << 3), quotient)
      bits |= u32(quotient * divisor == value && isSet(validity, i)) << (i - from)
    }
    store<u8>(valid + usize(from >> 3), u8(bits))
  }
}

/** map[code] (i32) as words; a code of -1 as above. */
export function joinWordsMapped(codes: usize, validity: usize, map: usize, count: u32, out: usize, valid: usize): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) {
      const known = isSet(validity, i)
      const code = known ? load<i32>(map + (usize(load<u32>(codes + (usize(i) << 2))) << 2)) : -1
      store<i64>(out + (usize(i) << 3), i64(code))
      bits |= u32(code >= 0) << (i - from)
    }
    store<u8>(valid + usize(from >> 3), u8(bits))
  }
}

/**
 * out[i] += (words[i] - base) * stride, or = where `add` is false. What is `size` or more away from `base` has its bit cleared in `valid`, into which the
 * bits of `validity` (or 0) are copied first where `add` is false.
 */
export function joinPack(
  words: usize, validity: usize, base: u64, size: u64, stride: u64, add: bool, count: u32, out: usize, valid: usize,
): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) {
      const distance = load<u64>(words + (usize(i) << 3)) - base
      const at = out + (usize(i) << 3)
      const part = distance * stride
      store<u64>(at, add ? load<u64>(at) + part : part)
      bits |= u32(distance < size && isSet(validity, i) && (!add || isSet(valid, i))) << (i - from)
    }
    store<u8>(valid + usize(from >> 3), u8(bits))
  }
}

/** Words below 2^32 as ids. */
export function joinIds(words: usize, valid: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (usize(i) << 2), isSet(valid, i) ? load<u32>(words + (usize(i) << 3)) : NONE)
  }
}

/** Ids as words; NONE clears the bit. */
export function joinIdWords(ids: usize, count: u32, out: usize, valid: usize): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) {
      const id = load<u32>(ids + (usize(i) << 2))
      store<u64>(out + (usize(i) << 3), u64(id))
      bits |= u32(id != NONE) << (i - from)
    }
    store<u8>(valid + usize(from >> 3), u8(bits))
  }
}

// @ts-ignore: decorator
@inline
function direct<T>(data: usize, validity: usize, base: i64, size: u64, table: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const distance = u64(i64(load<T>(data + usize(i) * sizeof<T>())) - base)
    const within = distance < size && isSet(validity, i)
    // Where it is not within, the first entry is looked at in vain: a branch is dearer.
    const at = select<usize>(usize(distance), 0, within)
    const found = table ? load<u32>(table + (at << 2)) : u32(at)
    store<u32>(out + (usize(i) << 2), select<u32>(found, NONE, within))
  }
}

/** `direct` of 4-byte integers without nulls by a table, four at a time; returns how many it has done. */
function directFours(data: usize, base: i32, size: u32, table: usize, count: u32, out: usize): u32 {
  const whole = count & ~3
  const bases = i32x4.splat(base)
  const sizes = i32x4.splat(size)
  for (const end = out + (usize(whole) << 2); out < end; out += 16, data += 16) {
    const distances = i32x4.sub(v128.load(data), bases)
    const within = i32x4.lt_u(distances, sizes)
    const at = i32x4.shl(v128.and(distances, within), 2)
    let found = v128.load32_zero(table + usize(i32x4.extract_lane(at, 0)))
    found = v128.load_lane<u32>(table + usize(i32x4.extract_lane(at, 1)), found, 1)
    found = v128.load_lane<u32>(table + usize(i32x4.extract_lane(at, 2)), found, 2)
    found = v128.load_lane<u32>(table + usize(i32x4.extract_lane(at, 3)), found, 3)
    v128.store(out, v128.bitselect(found, i32x4.splat(NONE), within))
  }
  return whole
}

/**
 * One key of integers that are ids as they are, less `base`: table[value - base], or with 0 that difference itself, and NONE for what is `size` or more
 * away, or null. `kind` is the integers' size, negative where they are unsigned.
 */
export function joinDirect(
  kind: i32, data: usize, validity: usize, base: i64, size: u64, table: usize, count: u32, out: usize,
): void {
  // Differences wrap at 32 bits, and then are none of the table's.
  const least: i64 = kind == 4 ? i64(i32.MIN_VALUE) : 0
  const isWhole = (kind == 4 || kind == -4) && validity == 0 && table != 0 && base >= least && size < 1 << 30
  if (isWhole && base + i64(size) <= least + (i64(1) << 32)) {
    const done = directFours(data, i32(base), u32(size), table, count, out)
    data += usize(done) << 2
    out += usize(done) << 2
    count -= done
  }
  switch (kind) {
    case 1: return direct<i8>(data, validity, base, size, table, count, out)
    case -1: return direct<u8>(data, validity, base, size, table, count, out)
    case 2: return direct<i16>(data, validity, base, size, table, count, out)
    case -2: return direct<u16>(data, validity, base, size, table, count, out)
    case 4: return direct<i32>(data, validity, base, size, table, count, out)
    case -4: return direct<u32>(data, validity, base, size, table, count, out)
    default: direct<i64>(data, validity, base, size, table, count, out)
  }
}

// @ts-ignore: decorator
@inline
function directRows<T>(data: usize, validity: usize, base: i64, size: u64, first: u32, count: u32, rowOf: usize): u32 {
  let taken: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const distance = u64(i64(load<T>(data + usize(i) * sizeof<T>())) - base)
    if (distance >= size || !isSet(validity, i)) continue
    const at = rowOf + (usize(distance) << 2)
    if (load<i32>(at) < 0) store<u32>(at, first + i)
    else taken++
  }
  return taken
}

/** `joinRowOf` of the ids that `joinDirect` gives with no table. */
export function joinDirectRows(
  kind: i32, data: usize, validity: usize, base: i64, size: u64, first: u32, count: u32, rowOf: usize,
): u32 {
  switch (kind) {
    case 1: return directRows<i8>(data, validity, base, size, first, count, rowOf)
    case -1: return directRows<u8>(data, validity, base, size, first, count, rowOf)
    case 2: return directRows<i16>(data, validity, base, size, first, count, rowOf)
    case -2: return directRows<u16>(data, validity, base, size, first, count, rowOf)
    case 4: return directRows<i32>(data, validity, base, size, first, count, rowOf)
    case -4: return directRows<u32>(data, validity, base, size, first, count, rowOf)
    default: return directRows<i64>(data, validity, base, size, first, count, rowOf)
  }
}

/** rowOf[id] = the row, from `first` on, of each id; returns how many rows had an id that was taken already, and stay out. */
export function joinRowOf(ids: usize, first: u32, count: u32, rowOf: usize): u32 {
  let taken: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    if (id == NONE) continue
    const at = rowOf + (usize(id) << 2)
    if (load<i32>(at) < 0) store<u32>(at, first + i)
    else taken++
  }
  return taken
}

/** Sets the bit of each id. */
export function joinSetBits(ids: usize, count: u32, bits: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    if (id == NONE) continue
    const at = bits + usize(id >> 3)
    store<u8>(at, load<u8>(at) | (u8(1) << u8(id & 7)))
  }
}

/** Ids whose bit is not set to NONE. */
export function joinKeepSet(ids: usize, count: u32, bits: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    // Where there is none, the first bit is looked at in vain: a branch is dearer.
    const known = select<u32>(id, 0, id != NONE)
    store<u32>(ids + (usize(i) << 2), select<u32>(id, NONE, isSet(bits, known)))
  }
}

/** starts[id + 1]++ for each id; `starts` begins as zeros. */
export function joinCount(ids: usize, count: u32, starts: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    if (id == NONE) continue
    const at = starts + (usize(id) << 2)
    store<u32>(at, load<u32>(at, 4) + 1, 4)
  }
}

/** Counts to where each id begins, so far that `joinScatter` makes them starts: starts[id + 1] is where id begins. */
export function joinBegin(starts: usize, idCount: u32): void {
  let sum: u32 = 0
  for (let id: u32 = 0; id < idCount; id++) {
    const at = starts + (usize(id) << 2)
    const own = load<u32>(at, 4)
    store<u32>(at, sum, 4)
    sum += own
  }
  store<u32>(starts, 0)
}

/** Rows from `first` on to their places; once all have come, starts[id + 1] is where id ends. */
export function joinScatter(ids: usize, first: u32, count: u32, starts: usize, rows: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    if (id == NONE) continue
    const at = starts + (usize(id) << 2)
    const place = load<u32>(at, 4)
    store<u32>(rows + (usize(place) << 2), first + i)
    store<u32>(at, place + 1, 4)
  }
}

/** out[i] = table[ids[i]], NONE for NONE. May be in place. */
export function joinLookUp(ids: usize, table: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + (usize(i) << 2))
    store<u32>(out + (usize(i) << 2), id == NONE ? NONE : load<u32>(table + (usize(id) << 2)))
  }
}

/** Pairs (i, rows[i]) where rows[i] is not NONE; both outputs have room for count + 1. Returns how many. */
export function joinMatches(rows: usize, count: u32, left: usize, right: usize): u32 {
  let at: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (usize(i) << 2))
    store<u32>(left + at, i)
    store<u32>(right + at, row)
    at += usize(row != NONE) << 2
  }
  return u32(at >> 2)
}

/** NONE to `instead`; returns how many there were. */
export function joinInstead(rows: usize, count: u32, instead: u32): u32 {
  let replaced: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (usize(i) << 2))
    store<u32>(rows + (usize(i) << 2), select<u32>(instead, row, row == NONE))
    replaced += u32(row == NONE)
  }
  return replaced
}

/** A bit for each row that is less than `end`. Some rows behind the last are looked at too. */
export function joinBelow(rows: usize, count: u32, end: u32, bitmap: usize): void {
  const ends = i32x4.splat(end)
  for (let from: u32 = 0; from < count; from += 8, rows += 32) {
    let bits = u32(i32x4.bitmask(i32x4.lt_u(v128.load(rows), ends)))
    if (count - from > 4) bits |= u32(i32x4.bitmask(i32x4.lt_u(v128.load(rows, 16), ends))) << 4
    if (count - from < 8) bits &= (1 << (count - from)) - 1
    store<u8>(bitmap + usize(from >> 3), u8(bits))
  }
}

/**
 * Pairs of rows from `state` on: { row, how many of its own have been given }, which is moved on. Rows without any take up room too, and give a pair with
 * `lone` where that is not NONE. Returns how many pairs were written; it stops before `most` are exceeded, or after the last row.
 */
export function joinExpand(
  ids: usize, starts: usize, rows: usize, count: u32, lone: u32, most: u32, state: usize, left: usize, right: usize,
): u32 {
  let row = load<u32>(state)
  let given = load<u32>(state, 4)
  let room = most
  let at: usize = 0
  while (row < count && room) {
    const id = load<u32>(ids + (usize(row) << 2))
    const start = id == NONE ? 0 : load<u32>(starts + (usize(id) << 2))
    const end = id == NONE ? 0 : load<u32>(starts + (usize(id) << 2), 4)
    if (start == end) {
      if (lone != NONE) {
        store<u32>(left + at, row)
        store<u32>(right + at, lone)
        at += 4
      }
      room--
      row++
      continue
    }
    let from = start + given
    const to = min(end, from + room)
    room -= to - from
    for (; from < to; from++) {
      store<u32>(left + at, row)
      store<u32>(right + at, load<u32>(rows + (usize(from) << 2)))
      at += 4
    }
    if (to == end) {
      row++
      given = 0
    } else given = to - start
  }
  store<u32>(state, row)
  store<u32>(state, given, 4)
  return u32(at >> 2)
}

/**
 * What is left of pairs of the rows [first, end) once a condition has had its say: those whose bit is set in `passed`; and where `lone` is not NONE, a pair with it
 * behind each row that has none left. `met` is a byte a row, 1 where a pair has been left; rows before `end` are at their end, so that `end` may be in the midst of its pairs.
 * Outputs have room for pairs and rows together. Returns how many.
 */
export function joinResolve(
  left: usize, right: usize, passed: usize, count: u32, first: u32, end: u32, met: usize, lone: u32, leftOut: usize, rightOut: usize,
): u32 {
  let at: usize = 0
  let pair: u32 = 0
  for (let row = first; row <= end; row++) {
    while (pair < count && load<u32>(left + (usize(pair) << 2)) == row) {
      store<u32>(leftOut + at, row)
      store<u32>(rightOut + at, load<u32>(right + (usize(pair) << 2)))
      if (isSet(passed, pair)) {
        at += 4
        store<u8>(met + usize(row), 1)
      }
      pair++
    }
    if (row < end && lone != NONE && !load<u8>(met + usize(row))) {
      store<u32>(leftOut + at, row)
      store<u32>(rightOut + at, lone)
      at += 4
    }
  }
  return u32(at >> 2)
}

/** A bit for each byte that is not 0. */
export function joinBytes(bytes: usize, count: u32, bitmap: usize): void {
  for (let from: u32 = 0; from < count; from += 8) {
    let bits: u32 = 0
    for (let i = from, to = min(from + 8, count); i < to; i++) bits |= u32(load<u8>(bytes + usize(i)) != 0) << (i - from)
    store<u8>(bitmap + usize(from >> 3), u8(bits))
  }
}

/** marks[rows[i]] = 1; NONE is none. */
export function joinMark(rows: usize, count: u32, marks: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(rows + (usize(i) << 2))
    if (row != NONE) store<u8>(marks + usize(row), 1)
  }
}

// @ts-ignore: decorator
@inline
function distance<T>(greater: T, less: T): T {
  // Of two equal infinities it is none.
  return greater == less ? <T>0 : greater - less
}

// @ts-ignore: decorator
@inline
function isWithin<T>(greater: T, less: T, tolerance: f64, whole: u64): bool {
  return isFloat<T>() ? f64(distance<T>(greater, less)) <= tolerance : u64(distance<T>(greater, less)) <= whole
}

// @ts-ignore: decorator
@inline
function nearest<T>(
  times: usize, validity: usize, ids: usize, starts: usize, all: u32, others: usize,
  direction: u32, tolerance: f64, whole: u64, count: u32, out: usize,
): void {
  for (let i: u32 = 0; i < count; i++) {
    let found = NONE
    const id = ids ? load<u32>(ids + (usize(i) << 2)) : 0
    const time = load<T>(times + (usize(i) << 3))
    if (isSet(validity, i) && id != NONE && time == time) {
      const start = starts ? load<u32>(starts + (usize(id) << 2)) : 0
      const end = starts ? load<u32>(starts + (usize(id) << 2), 4) : all
      // The first that is not before, and the first that is behind.
      let low = start
      let high = end
      while (low < high) {
        const middle = low + ((high - low) >> 1)
        if (load<T>(others + (usize(middle) << 3)) < time) low = middle + 1
        else high = middle
      }
      const first = low
      high = end
      while (low < high) {
        const middle = low + ((high - low) >> 1)
        if (load<T>(others + (usize(middle) << 3)) <= time) low = middle + 1
        else high = middle
      }
      const before = low > start && direction != 1 && isWithin<T>(time, load<T>(others + (usize(low - 1) << 3)), tolerance, whole)
      const after = first < end && direction != 0 && isWithin<T>(load<T>(others + (usize(first) << 3)), time, tolerance, whole)
      if (before && after) {
        const back = distance<T>(time, load<T>(others + (usize(low - 1) << 3)))
        const ahead = distance<T>(load<T>(others + (usize(first) << 3)), time)
        // Differences of int64 are taken as unsigned: they may be beyond it.
        const isBack = isFloat<T>() ? back <= ahead : u64(back) <= u64(ahead)
        found = isBack ? low - 1 : first
      } else if (before) found = low - 1
      else if (after) found = first
    }
    store<u32>(out + (usize(i) << 2), found)
  }
}

/**
 * The nearest of the other side's times, ascending within each id: out[i] is its place in `others`, NONE where there is none. Times are int64; a row is of id ids[i] (0: all are
 * of one), whose times are others[starts[id] .. starts[id + 1]), with `starts` 0 all `all` of them. `direction`: 0 before or at, 1 after or at, 2 either, of which the one before is
 * taken where both are as near. `whole`: how far it may be.
 */
export function joinNearestInts(
  times: usize, validity: usize, ids: usize, starts: usize, all: u32, others: usize, direction: u32, whole: u64, count: u32, out: usize,
): void {
  nearest<i64>(times, validity, ids, starts, all, others, direction, 0, whole, count, out)
}

/** The same of doubles; NaN is near nothing. */
export function joinNearestFloats(
  times: usize, validity: usize, ids: usize, starts: usize, all: u32, others: usize, direction: u32, tolerance: f64, count: u32, out: usize,
): void {
  nearest<f64>(times, validity, ids, starts, all, others, direction, tolerance, 0, count, out)
}
