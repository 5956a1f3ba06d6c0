// Exponentials and logarithms of doubles, below one unit in the last place, and the same bits wherever WebAssembly runs: the host's Math is not asked.
// The algorithms are those of Sun's fdlibm (e_exp.c, e_log.c, e_log10.c and e_pow.c, by way of FreeBSD and musl), whose notice is in
// THIRD_PARTY_LICENSES; operations are in their order, on which the bits depend. Every NaN that is made here is the one pattern.

// @ts-ignore: decorator
@inline
const LN2_HIGH: f64 = 6.93147180369123816490e-1
// @ts-ignore: decorator
@inline
const LN2_LOW: f64 = 1.90821492927058770002e-10

// @ts-ignore: decorator
@inline
const HIGH_WORD: u64 = 0xffffffff00000000

/** The double without its lower 32 bits. */
// @ts-ignore: decorator
@inline
function highPart(value: f64): f64 {
  return reinterpret<f64>(reinterpret<u64>(value) & HIGH_WORD)
}

// @ts-ignore: decorator
@inline
function highWord(value: f64): i32 {
  return i32(reinterpret<u64>(value) >> 32)
}

/** value * 2^n, rounded once. */
function scale(value: f64, n: i32): f64 {
  if (n > 1023) {
    value *= 8.98846567431158e307
    n -= 1023
    if (n > 1023) {
      value *= 8.98846567431158e307
      n = min(n - 1023, 1023)
    }
  } else if (n < -1022) {
    // 2^-1022 * 2^53, so that what is rounded twice is not rounded the first time.
    value *= 2.0041683600089728e-292
    n += 969
    if (n < -1022) {
      value *= 2.0041683600089728e-292
      n = max(n + 969, -1022)
    }
  }
  return value * reinterpret<f64>(u64(1023 + n) << 52)
}

/** e^x */
function exp(x: f64): f64 {
  if (x != x) return x
  if (x > 709.782712893383973096) return Infinity
  if (x < -745.13321910194110842) return 0
  const magnitude = abs(x)
  // Near 0 the least digits are 1 + x.
  if (magnitude <= 3.725290298461914e-9) return 1 + x
  let k: i32 = 0
  let high = x
  let low: f64 = 0
  if (magnitude > 0.34657359027997264) {
    k = magnitude >= 1.0397207708399179 ? i32(1.44269504088896338700 * x + copysign<f64>(0.5, x)) : x < 0 ? -1 : 1
    high = x - f64(k) * LN2_HIGH
    low = f64(k) * LN2_LOW
  }
  const r = high - low
  const rr = r * r
  const c = r - rr * (1.66666666666666019037e-1 + rr * (-2.77777777770155933842e-3 + rr * (6.61375632143793436117e-5 + rr * (-1.65339022054652515390e-6 + rr * 4.13813679705723846039e-8))))
  return scale(1 + (r * c / (2 - c) - low + high), k)
}

/** What ln and log10 share: a polynomial in s = f / (2 + f), where f is the distance from 1 of a value between sqrt(1/2) and sqrt(2). */
// @ts-ignore: decorator
@inline
function series(s: f64): f64 {
  const z = s * s
  const w = z * z
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1))
  const odd = z * (6.666666666666735130e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)))
  return odd + even
}

/** The logarithm of what is not above 0, is infinite or is NaN. */
function specialLogarithm(x: f64): f64 {
  if (x == 0) return -Infinity
  return x < 0 ? NaN : x
}

/** ln x where `Base` is one byte long, else log10 x. */
// @ts-ignore: decorator
@inline
function logarithm<Base>(x: f64): f64 {
  if (!(x > 0 && x < Infinity)) return specialLogarithm(x)
  let k: i32 = 0
  if (x < 2.2250738585072014e-308) {
    x *= 1.8014398509481984e16
    k = -54
  }
  const bits = reinterpret<u64>(x)
  const high = u32(bits >> 32) + (0x3ff00000 - 0x3fe6a09e)
  k += i32(high >> 20) - 0x3ff
  x = reinterpret<f64>((u64((high & 0x000fffff) + 0x3fe6a09e) << 32) | (bits & 0xffffffff))
  const f = x - 1
  const half = 0.5 * f * f
  const s = f / (2 + f)
  const r = series(s)
  const dk = f64(k)
  if (sizeof<Base>() == 1) return s * (half + r) + dk * LN2_LOW - half + f + dk * LN2_HIGH
  const hi = highPart(f - half)
  const lo = f - hi - half + s * (half + r)
  const valueHigh = hi * 4.34294481878168880939e-1
  const y = dk * 3.01029995663611771306e-1
  const valueLow = dk * 3.69423907715893078616e-13 + (lo + hi) * 2.50829467116452752298e-11 + lo * 4.34294481878168880939e-1
  const w = y + valueHigh
  return valueLow + ((y - w) + valueHigh) + w
}

/** 0: no integer, 1: odd, 2: even. */
function parity(y: f64): i32 {
  const magnitude = abs(y)
  if (magnitude >= 9007199254740992) return 2
  if (floor(magnitude) != magnitude) return 0
  return 2 - i32(i64(magnitude) & 1)
}

/** x^y as C has it: 1^y and x^0 are 1 whatever the other is, NaN too; a negative number to what is no integer is NaN. */
function pow(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1
  if (x != x || y != y) return NaN
  if (y == 1) return x
  if (y == 2) return x * x
  if (y == -1) return 1 / x
  const ax = abs(x)
  const whole = x < 0 || x == 0 ? parity(y) : 0
  if (abs(y) == Infinity) return ax == 1 ? 1 : ax > 1 == y > 0 ? Infinity : 0
  const isNegative = whole == 1 && reinterpret<i64>(x) < 0
  if (ax == 0 || ax == Infinity || ax == 1) {
    const z = y < 0 ? 1 / ax : ax
    if (x == -1 && whole == 0) return NaN
    // The sign of an infinity to an odd power is its own.
    return reinterpret<i64>(x) < 0 && parity(y) == 1 ? -z : z
  }
  if (y == 0.5 && x > 0) return sqrt(x)
  if (x < 0 && whole == 0) return NaN
  const power = positivePower(ax, y)
  return isNegative ? -power : power
}

/** ax is positive and finite, and neither of the two is 0, infinite or NaN. */
function positivePower(ax: f64, y: f64): f64 {
  let ix = highWord(ax)
  const iy = highWord(y) & 0x7fffffff
  const grows = y > 0
  let t1: f64
  let t2: f64
  if (iy > 0x41e00000) {
    // |y| is above 2^31: unless ax is near 1 the result is beyond all doubles.
    if (ix < 0x3fefffff || (iy > 0x43f00000 && ix <= 0x3fefffff)) return grows ? 0 : Infinity
    if (ix > 0x3ff00000 || (iy > 0x43f00000 && ix >= 0x3ff00000)) return grows ? Infinity : 0
    const t = ax - 1
    const w = t * t * (0.5 - t * (0.3333333333333333333333 - t * 0.25))
    const u = 1.44269502162933349609 * t
    const v = t * 1.92596299112661746887e-8 - w * 1.44269504088896338700
    t1 = highPart(u + v)
    t2 = v - (t1 - u)
  } else {
    let n: i32 = 0
    if (ix < 0x00100000) {
      ax *= 9007199254740992
      n -= 53
      ix = highWord(ax)
    }
    n += (ix >> 20) - 0x3ff
    const j = ix & 0x000fffff
    ix = j | 0x3ff00000
    let k: i32 = 0
    if (j > 0x3988e) {
      if (j < 0xbb67a) k = 1
      else {
        n += 1
        ix -= 0x00100000
      }
    }
    ax = reinterpret<f64>((reinterpret<u64>(ax) & 0xffffffff) | (u64(ix) << 32))
    const bp: f64 = k ? 1.5 : 1
    let u = ax - bp
    let v = 1 / (ax + bp)
    const ss = u * v
    const sHigh = highPart(ss)
    let tHigh = reinterpret<f64>(u64(((ix >> 1) | 0x20000000) + 0x00080000 + (k << 18)) << 32)
    let tLow = ax - (tHigh - bp)
    const sLow = v * (u - sHigh * tHigh - sHigh * tLow)
    let s2 = ss * ss
    let r =
      s2 *
      s2 *
      (5.99999999999994648725e-1 +
        s2 * (4.28571428578550184252e-1 + s2 * (3.33333329818377432918e-1 + s2 * (2.72728123808534006489e-1 + s2 * (2.30660745775561754067e-1 + s2 * 2.06975017800338417784e-1)))))
    r += sLow * (sHigh + ss)
    s2 = sHigh * sHigh
    tHigh = highPart(3 + s2 + r)
    tLow = r - (tHigh - 3 - s2)
    u = sHigh * tHigh
    v = sLow * tHigh + tLow * ss
    const pHigh = highPart(u + v)
    const pLow = v - (pHigh - u)
    const zHigh = 9.61796700954437255859e-1 * pHigh
    const zLow = -7.02846165095275826516e-9 * pHigh + pLow * 9.61796693925975554329e-1 + (k ? 1.35003920212974897128e-8 : 0)
    const t = f64(n)
    const dpHigh: f64 = k ? 5.84962487220764160156e-1 : 0
    t1 = highPart(zHigh + zLow + dpHigh + t)
    t2 = zLow - (t1 - t - dpHigh - zHigh)
  }
  // y * log2(ax) in two parts, then 2 to that.
  const yHigh = highPart(y)
  const pLow = (y - yHigh) * t1 + y * t2
  let pHigh = yHigh * t1
  let z = pLow + pHigh
  let j = highWord(z)
  const low = i32(reinterpret<u64>(z))
  if (j >= 0x40900000) {
    if (((j - 0x40900000) | low) != 0 || pLow + 8.0085662595372944372e-17 > z - pHigh) return Infinity
  } else if ((j & 0x7fffffff) >= 0x4090cc00) {
    if (((j - 0xc090cc00) | low) != 0 || pLow <= z - pHigh) return 0
  }
  const i = j & 0x7fffffff
  let n: i32 = 0
  if (i > 0x3fe00000) {
    const bits = j + (0x00100000 >> ((i >> 20) - 0x3fe))
    const k = ((bits & 0x7fffffff) >> 20) - 0x3ff
    const t = reinterpret<f64>(u64(u32(bits & ~(0x000fffff >> k))) << 32)
    n = ((bits & 0x000fffff) | 0x00100000) >> (20 - k)
    if (j < 0) n = -n
    pHigh -= t
  }
  const t = highPart(pLow + pHigh)
  const u = t * 6.93147182464599609375e-1
  const v = (pLow - (t - pHigh)) * 6.93147180559945286227e-1 + t * -1.90465429995776804525e-9
  z = u + v
  const w = v - (z - u)
  const zz = z * z
  const c = z - zz * (1.66666666666666019037e-1 + zz * (-2.77777777770155933842e-3 + zz * (6.61375632143793436117e-5 + zz * (-1.65339022054652515390e-6 + zz * 4.13813679705723846039e-8))))
  const r = z * c / (c - 2) - (w + z * w)
  z = 1 - (r - z)
  j = highWord(z) + (n << 20)
  return j >> 20 <= 0 ? scale(z, n) : reinterpret<f64>((reinterpret<u64>(z) & 0xffffffff) | (u64(u32(j)) << 32))
}

export function exponentialExp(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = usize(rowCount) << 3; at < end; at += 8) store<f64>(out + at, exp(load<f64>(values + at)))
}

/** Of 0 the negative infinity, of what is below NaN. */
export function exponentialLn(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = usize(rowCount) << 3; at < end; at += 8) store<f64>(out + at, logarithm<u8>(load<f64>(values + at)))
}

export function exponentialLog10(values: usize, rowCount: u32, out: usize): void {
  for (let at: usize = 0, end = usize(rowCount) << 3; at < end; at += 8) store<f64>(out + at, logarithm<u16>(load<f64>(values + at)))
}

/** out = a^b; a step is 8 for a column, 0 for a constant. */
export function exponentialPow(a: usize, aStep: usize, b: usize, bStep: usize, rowCount: u32, out: usize): void {
  for (const end = out + (usize(rowCount) << 3); out < end; out += 8) {
    store<f64>(out, pow(load<f64>(a), load<f64>(b)))
    a += aStep
    b += bStep
  }
}
