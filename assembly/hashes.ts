// Published hashes of values: XXH64 (Yann Collet's xxHash, of which a seed is part) and SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012),
// which nobody computes without its key. What is hashed are the 8 bytes of a number, low byte first, or the bytes of a string.

import { isValid } from './inline'
import { internBytes, NO_ROOM, StringTable } from './text'

// @ts-ignore: decorator
@inline
const P1: u64 = 0x9e3779b185ebca87
// @ts-ignore: decorator
@inline
const P2: u64 = 0xc2b2ae3d27d4eb4f
// @ts-ignore: decorator
@inline
const P3: u64 = 0x165667b19e3779f9
// @ts-ignore: decorator
@inline
const P4: u64 = 0x85ebca77c2b2ae63
// @ts-ignore: decorator
@inline
const P5: u64 = 0x27d4eb2f165667c5

// @ts-ignore: decorator
@inline
function mixed(state: u64, word: u64): u64 {
  return rotl<u64>(state + word * P2, 31) * P1
}

// @ts-ignore: decorator
@inline
function merged(hash: u64, state: u64): u64 {
  return (hash ^ mixed(0, state)) * P1 + P4
}

// @ts-ignore: decorator
@inline
function withWord(hash: u64, word: u64): u64 {
  return rotl<u64>(hash ^ mixed(0, word), 27) * P1 + P4
}

// @ts-ignore: decorator
@inline
function finished(hash: u64): u64 {
  hash = (hash ^ (hash >> 33)) * P2
  hash = (hash ^ (hash >> 29)) * P3
  return hash ^ (hash >> 32)
}

function hashOfBytes(at: usize, length: u32, seed: u64): u64 {
  const end = at + usize(length)
  let hash = seed + P5
  if (length >= 32) {
    let a = seed + P1 + P2
    let b = seed + P2
    let c = seed
    let d = seed - P1
    while (at + 32 <= end) {
      a = mixed(a, load<u64>(at))
      b = mixed(b, load<u64>(at, 8))
      c = mixed(c, load<u64>(at, 16))
      d = mixed(d, load<u64>(at, 24))
      at += 32
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18)
    hash = merged(merged(merged(merged(hash, a), b), c), d)
  }
  hash += u64(length)
  while (at + 8 <= end) {
    hash = withWord(hash, load<u64>(at))
    at += 8
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (u64(load<u32>(at)) * P1), 23) * P2 + P3
    at += 4
  }
  while (at < end) {
    hash = rotl<u64>(hash ^ (u64(load<u8>(at)) * P5), 11) * P1
    at++
  }
  return finished(hash)
}

/** XXH64 of each 8 bytes. */
export function hashesOfWords(words: usize, seed: u64, count: u32, out: usize): void {
  for (let at: usize = 0, end = usize(count) << 3; at < end; at += 8) {
    store<u64>(out + at, finished(withWord(seed + P5 + 8, load<u64>(words + at))))
  }
}

/** XXH64 of entries `from` to `to` of a dictionary. */
export function hashesOfEntries(offsets: usize, bytes: usize, seed: u64, from: u32, to: u32, out: usize): void {
  for (let entry = from; entry < to; entry++) {
    const start = load<u32>(offsets + (usize(entry) << 2))
    store<u64>(out + (usize(entry) << 3), hashOfBytes(bytes + usize(start), load<u32>(offsets + (usize(entry) << 2), 4) - start, seed))
  }
}

/** Doubles as words that are equal where values are: one zero, one NaN. */
export function hashesCanonical(values: usize, count: u32, out: usize): void {
  const zero = f64x2.splat(0)
  const nan = i64x2.splat(0x7ff8000000000000)
  for (let at: usize = 0, end = (usize(count) + 1) >> 1 << 4; at < end; at += 16) {
    const pair = v128.load(values + at)
    const folded = v128.bitselect(zero, pair, f64x2.eq(pair, zero))
    v128.store(out + at, v128.bitselect(folded, nan, f64x2.eq(pair, pair)))
  }
}

/** Bits as words 0 and 1. */
export function hashesBitWords(bitmap: usize, count: u32, out: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    store<u64>(out + (usize(row) << 3), u64((load<u8>(bitmap + usize(row >> 3)) >> u8(row & 7)) & 1))
  }
}

// The four words of SipHash's state, one after another at `state`: there is no way to give back four values.

function sipRounds(state: usize, count: u32): void {
  let a = load<u64>(state)
  let b = load<u64>(state, 8)
  let c = load<u64>(state, 16)
  let d = load<u64>(state, 24)
  for (let round: u32 = 0; round < count; round++) {
    a += b
    b = rotl<u64>(b, 13) ^ a
    a = rotl<u64>(a, 32)
    c += d
    d = rotl<u64>(d, 16) ^ c
    a += d
    d = rotl<u64>(d, 21) ^ a
    c += b
    b = rotl<u64>(b, 17) ^ c
    c = rotl<u64>(c, 32)
  }
  store<u64>(state, a)
  store<u64>(state, b, 8)
  store<u64>(state, c, 16)
  store<u64>(state, d, 24)
}

// @ts-ignore: decorator
@inline
function sipWord(state: usize, word: u64): void {
  store<u64>(state, load<u64>(state, 24) ^ word, 24)
  sipRounds(state, 2)
  store<u64>(state, load<u64>(state) ^ word)
}

// @ts-ignore: decorator
@inline
function sipResult(state: usize): u64 {
  return load<u64>(state) ^ load<u64>(state, 8) ^ load<u64>(state, 16) ^ load<u64>(state, 24)
}

/** Writes the 32 hexadecimal digits of the hash behind the state, low byte first; `room` has 64 bytes. */
function sipDigits(at: usize, length: u32, key0: u64, key1: u64, room: usize): void {
  store<u64>(room, key0 ^ 0x736f6d6570736575)
  store<u64>(room, key1 ^ 0x646f72616e646f6d ^ 0xee, 8)
  store<u64>(room, key0 ^ 0x6c7967656e657261, 16)
  store<u64>(room, key1 ^ 0x7465646279746573, 24)
  const rest = u64(length & 7)
  for (const end = at + usize(length & ~7); at < end; at += 8) sipWord(room, load<u64>(at))
  const tail: u64 = rest ? load<u64>(at) & (u64.MAX_VALUE >> (64 - (rest << 3))) : 0
  sipWord(room, tail | (u64(length) << 56))
  store<u64>(room, load<u64>(room, 16) ^ 0xee, 16)
  sipRounds(room, 4)
  digits(sipResult(room), room + 32)
  store<u64>(room, load<u64>(room, 8) ^ 0xdd, 8)
  sipRounds(room, 4)
  digits(sipResult(room), room + 48)
}

// @ts-ignore: decorator
@inline
function digits(word: u64, out: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    const byte = u32(word >> (u64(i) << 3)) & 255
    store<u8>(out + (i << 1), digit(byte >> 4))
    store<u8>(out + (i << 1), digit(byte & 15), 1)
  }
}

// @ts-ignore: decorator
@inline
function digit(value: u32): u8 {
  return u8(value < 10 ? 48 + value : 87 + value)
}

/** Codes of the keyed hashes of words, null rows code 0; `to`, or the row whose digits found no room. */
export function hashesKeyedWords(
  tablePointer: usize, words: usize, validity: usize, key0: u64, key1: u64, from: u32, to: u32, room: usize, codes: usize,
): u32 {
  const table = changetype<StringTable>(tablePointer)
  for (let row = from; row < to; row++) {
    let code: u32 = 0
    if (isValid(validity, row)) {
      sipDigits(words + (usize(row) << 3), 8, key0, key1, room)
      code = internBytes(table, room + 32, 32)
      if (code == NO_ROOM) return row
    }
    store<u32>(codes + (usize(row) << 2), code)
  }
  return to
}

/** The same of entries of a dictionary. */
export function hashesKeyedEntries(
  tablePointer: usize, offsets: usize, bytes: usize, key0: u64, key1: u64, from: u32, to: u32, room: usize, codes: usize,
): u32 {
  const table = changetype<StringTable>(tablePointer)
  for (let entry = from; entry < to; entry++) {
    const start = load<u32>(offsets + (usize(entry) << 2))
    sipDigits(bytes + usize(start), load<u32>(offsets + (usize(entry) << 2), 4) - start, key0, key1, room)
    const code = internBytes(table, room + 32, 32)
    if (code == NO_ROOM) return entry
    store<u32>(codes + (usize(entry) << 2), code)
  }
  return to
}
