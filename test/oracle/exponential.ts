/**
 * e^x, logarithms and powers as the engine promises them to the bit: fdlibm's algorithms (see THIRD_PARTY_LICENSES), written here a second time, over words.
 * exponential.test.ts holds them against exact arithmetic; JavaScript's own `Math` differs from engine to engine.
 */
const view = new DataView(new ArrayBuffer(8))

function wordsOf(value: number): [high: number, low: number] {
  view.setFloat64(0, value)
  return [view.getInt32(0), view.getUint32(4)]
}

function doubleOf(high: number, low: number): number {
  view.setInt32(0, high)
  view.setUint32(4, low)
  return view.getFloat64(0)
}

const truncated = (value: number): number => doubleOf(wordsOf(value)[0], 0)

/** value * 2^n; a subnormal result is rounded once. */
function scaled(value: number, n: number): number {
  if (n > 1023) return value * 2 ** 1023 * 2 ** (n - 1023)
  return n < -1022 ? value * 2 ** -969 * 2 ** (n + 969) : value * 2 ** n
}

const LN2_HI = doubleOf(0x3fe62e42, 0xfee00000)
const LN2_LO = doubleOf(0x3dea39ef, 0x35793c76)
const P = [
  doubleOf(0x3fc55555, 0x5555553e),
  doubleOf(0xbf66c16c, 0x16bebd93),
  doubleOf(0x3f11566a, 0xaf25de2c),
  doubleOf(0xbebbbd41, 0xc5d26bf1),
  doubleOf(0x3e663769, 0x72bea4d0),
] as const

/** t - (P1 t^2 + ... + P5 t^10), of t^2. */
const remez = (t: number, square: number): number =>
  t - square * (P[0] + square * (P[1] + square * (P[2] + square * (P[3] + square * P[4]))))

export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > doubleOf(0x40862e42, 0xfefa39ef)) return Infinity
  if (x < doubleOf(0xc0874910, 0xd52d3051)) return 0
  if (Math.abs(x) <= 2 ** -28) return 1 + x
  const sign = x < 0 ? -1 : 1
  const far = Math.abs(x) >= 1.5 * Math.LN2
  const k = far
    ? Math.trunc(doubleOf(0x3ff71547, 0x652b82fe) * x + 0.5 * sign)
    : Math.abs(x) > 0.5 * Math.LN2
      ? sign
      : 0
  const hi = x - k * LN2_HI
  const lo = k * LN2_LO
  const t = hi - lo
  const c = remez(t, t * t)
  return scaled(1 + ((t * c) / (2 - c) - lo + hi), k)
}

const L = [
  doubleOf(0x3fe55555, 0x55555593),
  doubleOf(0x3fd99999, 0x9997fa04),
  doubleOf(0x3fd24924, 0x94229359),
  doubleOf(0x3fcc71c5, 0x1d8e78af),
  doubleOf(0x3fc74664, 0x96cb03de),
  doubleOf(0x3fc39a09, 0xd078c69f),
  doubleOf(0x3fc2f112, 0xdf3e5244),
] as const

/** x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2), and what both logarithms make of f; null where there is no logarithm. */
function reduced(x: number): { k: number; f: number; half: number; s: number; r: number } | null {
  if (!(x > 0) || x === Infinity) return null
  let k = 0
  if (x < 2 ** -1022) {
    k = -54
    x *= 2 ** 54
  }
  const [high, low] = wordsOf(x)
  const moved = high + (0x3ff00000 - 0x3fe6a09e)
  k += (moved >> 20) - 0x3ff
  const f = doubleOf((moved & 0xfffff) + 0x3fe6a09e, low) - 1
  const half = 0.5 * f * f
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const r = z * (L[0] + w * (L[2] + w * (L[4] + w * L[6]))) + w * (L[1] + w * (L[3] + w * L[5]))
  return { k, f, half, s, r }
}

const noLogarithm = (x: number): number => (x === 0 ? -Infinity : x === Infinity ? x : NaN)

export function ln(x: number): number {
  const parts = reduced(x)
  if (parts === null) return noLogarithm(x)
  const { k, f, half, s, r } = parts
  return s * (half + r) + k * LN2_LO - half + f + k * LN2_HI
}

export function log10(x: number): number {
  const parts = reduced(x)
  if (parts === null) return noLogarithm(x)
  const { k, f, half, s, r } = parts
  const [high, low] = [doubleOf(0x3fdbcb7b, 0x15200000), doubleOf(0x3dbb9438, 0xca9aadd5)]
  const hi = truncated(f - half)
  const lo = f - hi - half + s * (half + r)
  const y = k * doubleOf(0x3fd34413, 0x509f6000)
  const top = hi * high
  const w = y + top
  return k * doubleOf(0x3d59fef3, 0x11f12b36) + (lo + hi) * low + lo * high + (y - w + top) + w
}

export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (y === 1) return x
  if (y === 2) return x * x
  if (y === -1) return 1 / x
  const ax = Math.abs(x)
  if (Math.abs(y) === Infinity) return ax === 1 ? 1 : ax > 1 === y > 0 ? Infinity : 0
  const isOdd = Number.isInteger(y) && Math.abs(y) < 2 ** 53 && BigInt(y) % 2n !== 0n
  const isBelow = x < 0 || Object.is(x, -0)
  const signed = (value: number) => (isBelow && isOdd ? -value : value)
  if (ax === 0 || ax === Infinity) return signed(y < 0 ? 1 / ax : ax)
  if (isBelow && !Number.isInteger(y)) return NaN
  if (ax === 1) return signed(1)
  return signed(y === 0.5 ? Math.sqrt(x) : positive(ax, y))
}

const LP = [
  doubleOf(0x3fe33333, 0x33333303),
  doubleOf(0x3fdb6db6, 0xdb6fabff),
  doubleOf(0x3fd55555, 0x518f264d),
  doubleOf(0x3fd17460, 0xa91d4101),
  doubleOf(0x3fcd864a, 0x93c9db65),
  doubleOf(0x3fca7e28, 0x4a454eef),
] as const

function positive(x: number, y: number): number {
  const [high] = wordsOf(x)
  const size = wordsOf(Math.abs(y))[0]
  if (size > 0x41e00000) {
    const beyond = size > 0x43f00000
    if (high < 0x3fefffff || (beyond && high <= 0x3fefffff)) return y > 0 ? 0 : Infinity
    if (high > 0x3ff00000 || beyond) return y > 0 ? Infinity : 0
  }
  const [t1, t2] = size > 0x41e00000 ? log2NearOne(x) : log2(x)
  const y1 = truncated(y)
  const pl = (y - y1) * t1 + y * t2
  const ph = y1 * t1
  const z = pl + ph
  // 2^1024 is beyond all doubles, and so is what rounds to it; 2^-1075 and below is 0.
  const slack = doubleOf(0x3c971547, 0x652b82fe)
  if (z > 1024 || (z === 1024 && pl + slack > z - ph)) return Infinity
  if (z < -1075 || (z === -1075 && pl <= z - ph)) return 0
  return exp2(ph, pl)
}

function log2NearOne(x: number): [number, number] {
  const t = x - 1
  const w = t * t * (0.5 - t * (1 / 3 - t * 0.25))
  const u = doubleOf(0x3ff71547, 0x60000000) * t
  const v = t * doubleOf(0x3e54ae0b, 0xf85ddf44) - w * doubleOf(0x3ff71547, 0x652b82fe)
  const t1 = truncated(u + v)
  return [t1, v - (t1 - u)]
}

function log2(x: number): [number, number] {
  let n = 0
  if (x < 2 ** -1022) {
    x *= 2 ** 53
    n = -53
  }
  const [high, low] = wordsOf(x)
  n += (high >> 20) - 0x3ff
  const fraction = high & 0xfffff
  let top = fraction | 0x3ff00000
  const k = fraction > 0x3988e && fraction < 0xbb67a ? 1 : 0
  if (fraction >= 0xbb67a) {
    n++
    top -= 0x100000
  }
  const ax = doubleOf(top, low)
  const bp = k === 1 ? 1.5 : 1
  const u = ax - bp
  const v = 1 / (ax + bp)
  const ss = u * v
  const sh = truncated(ss)
  const sum = doubleOf(((top >> 1) | 0x20000000) + 0x80000 + (k << 18), 0)
  const sl = v * (u - sh * sum - sh * (ax - (sum - bp)))
  const q = ss * ss
  const r = q * q * (LP[0] + q * (LP[1] + q * (LP[2] + q * (LP[3] + q * (LP[4] + q * LP[5]))))) + sl * (sh + ss)
  const square = sh * sh
  const th = truncated(3 + square + r)
  const tl = r - (th - 3 - square)
  const product = sh * th
  const rest = sl * th + tl * ss
  const ph = truncated(product + rest)
  const pl = rest - (ph - product)
  const zh = doubleOf(0x3feec709, 0xe0000000) * ph
  const zl =
    doubleOf(0xbe3e2fe0, 0x145b01f5) * ph +
    pl * doubleOf(0x3feec709, 0xdc3a03fd) +
    (k === 1 ? doubleOf(0x3e4cfdeb, 0x43cfd006) : 0)
  const dp = k === 1 ? doubleOf(0x3fe2b803, 0x40000000) : 0
  const t1 = truncated(zh + zl + dp + n)
  return [t1, zl - (t1 - n - dp - zh)]
}

/** 2^(ph + pl) */
function exp2(ph: number, pl: number): number {
  const z = pl + ph
  const n = Math.abs(z) > 0.5 && wordsOf(Math.abs(z))[0] > 0x3fe00000 ? nearest(z) : 0
  const left = ph - n
  const t = truncated(pl + left)
  const u = t * doubleOf(0x3fe62e43, 0)
  const v = (pl - (t - left)) * doubleOf(0x3fe62e42, 0xfefa39ef) + t * doubleOf(0xbe205c61, 0x0ca86c39)
  const x = u + v
  const w = v - (x - u)
  const c = remez(x, x * x)
  return scaled(1 - ((x * c) / (c - 2) - (w + x * w) - x), n)
}

/** The integer nearest to the upper word of z, halves away from zero. */
function nearest(z: number): number {
  const magnitude = Math.abs(truncated(z))
  return Math.sign(z) * Math.floor(magnitude + 0.5)
}
