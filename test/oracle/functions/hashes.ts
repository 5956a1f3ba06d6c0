/** XXH64 and SipHash-2-4-128 from their specifications, over bytes and BigInts. */
import type { ModelFunctions } from '../functions.js'
import type { ModelType, Value } from '../value.js'

export const hashFunctions: ModelFunctions = {
  hash: {
    type: ([type], { key }) => ({ kind: key === undefined ? 'int64' : 'utf8', nullable: (type as ModelType).nullable }),
    evaluate([value], { parameters: { key, seed = 0 } }) {
      if (value === null) return null
      const bytes = bytesOf(value as Value)
      if (key === undefined) return BigInt.asIntN(64, xxh64(bytes, BigInt(seed as number)))
      return sipHash128(
        bytes,
        Uint8Array.from((key as string).match(/../g) as string[], digits => Number.parseInt(digits, 16)),
      )
    },
  },
}

function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  const view = new DataView(new ArrayBuffer(8))
  if (typeof value === 'number') view.setFloat64(0, value === 0 ? 0 : value, true)
  else view.setBigInt64(0, BigInt(value as bigint | boolean), true)
  // JavaScript may keep any NaN.
  if (Number.isNaN(value)) view.setBigUint64(0, 0x7ff8000000000000n, true)
  return new Uint8Array(view.buffer)
}

const MASK = (1n << 64n) - 1n
const wrap = (value: bigint) => value & MASK
const rotate = (value: bigint, by: bigint) => wrap(value << by) | (value >> (64n - by))

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}

const PRIMES = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const

export function xxh64(bytes: Uint8Array, given: bigint): bigint {
  const [p1, p2, p3, p4, p5] = PRIMES
  const seed = wrap(given)
  const round = (state: bigint, lane: bigint) => wrap(rotate(wrap(state + lane * p2), 31n) * p1)
  let hash = wrap(seed + p5)
  let at = 0
  if (bytes.length >= 32) {
    const lanes = [wrap(seed + p1 + p2), wrap(seed + p2), seed, wrap(seed - p1)]
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++)
        lanes[i] = round(lanes[i] as bigint, littleEndian(bytes.subarray(at + 8 * i, at + 8 * i + 8)))
    }
    const turns = [1n, 7n, 12n, 18n]
    hash = wrap(lanes.reduce((sum, lane, i) => sum + rotate(lane, turns[i] as bigint), 0n))
    for (const lane of lanes) hash = wrap((hash ^ round(0n, lane)) * p1 + p4)
  }
  hash = wrap(hash + BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8) {
    hash = wrap(rotate(hash ^ round(0n, littleEndian(bytes.subarray(at, at + 8))), 27n) * p1 + p4)
  }
  if (at + 4 <= bytes.length) {
    hash = wrap(rotate(hash ^ wrap(littleEndian(bytes.subarray(at, at + 4)) * p1), 23n) * p2 + p3)
    at += 4
  }
  for (; at < bytes.length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(bytes[at] as number) * p5), 11n) * p1)
  hash = wrap((hash ^ (hash >> 33n)) * p2)
  hash = wrap((hash ^ (hash >> 29n)) * p3)
  return hash ^ (hash >> 32n)
}

export function sipHash128(bytes: Uint8Array, key: Uint8Array): string {
  const [k0, k1] = [littleEndian(key.subarray(0, 8)), littleEndian(key.subarray(8, 16))]
  let [v0, v1, v2, v3] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn ^ 0xeen,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ]
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      v0 = wrap(v0 + v1)
      v1 = rotate(v1, 13n) ^ v0
      v0 = rotate(v0, 32n)
      v2 = wrap(v2 + v3)
      v3 = rotate(v3, 16n) ^ v2
      v0 = wrap(v0 + v3)
      v3 = rotate(v3, 21n) ^ v0
      v2 = wrap(v2 + v1)
      v1 = rotate(v1, 17n) ^ v2
      v2 = rotate(v2, 32n)
    }
  }
  const whole = bytes.length & ~7
  const words = Array.from({ length: whole / 8 }, (_, i) => littleEndian(bytes.subarray(8 * i, 8 * i + 8)))
  for (const word of [...words, littleEndian(bytes.subarray(whole)) | (BigInt(bytes.length & 255) << 56n)]) {
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  v2 ^= 0xeen
  rounds(4)
  const first = v0 ^ v1 ^ v2 ^ v3
  v1 ^= 0xddn
  rounds(4)
  return [first, v0 ^ v1 ^ v2 ^ v3].map(digitsOf).join('')
}

/** The lowest byte first. */
const digitsOf = (word: bigint): string =>
  Array.from({ length: 8 }, (_, i) => ((word >> BigInt(8 * i)) & 255n).toString(16).padStart(2, '0')).join('')
