// The one rounding of an exact sum or mean, for exact.ts and wide.ts. The module does not export it, so index.ts does not name it.

/**
 * The double nearest to (high:low) * 2^exponent / divisor, ties to even: rounded once, subnormal results too. `more` says that
 * the true magnitude is greater, by less than one unit of `low`, and may be set only where bit 63 of `high` is. Never -0.
 */
export function roundQuotient(negative: bool, high: u64, low: u64, more: bool, exponent: i32, divisor: u64): f64 {
  if (high == 0) {
    if (low == 0) return 0
    high = low
    low = 0
    exponent -= 64
  }
  let lead = clz(high)
  if (lead) {
    high = (high << lead) | (low >> (64 - lead))
    low <<= lead
    exponent -= i32(lead)
  }
  if (divisor != 1) {
    let rest: u64 = 0
    if (divisor >> 32 == 0) {
      // The leading bit is set and the divisor below 2^32, so the quotient has at least 96 bits.
      const a = high >> 32
      const qa = a / divisor
      const b = ((a - qa * divisor) << 32) | (high & 0xffffffff)
      const qb = b / divisor
      const c = ((b - qb * divisor) << 32) | (low >> 32)
      const qc = c / divisor
      const d = ((c - qc * divisor) << 32) | (low & 0xffffffff)
      const qd = d / divisor
      rest = d - qd * divisor
      high = (qa << 32) | qb
      low = (qc << 32) | qd
    } else {
      let quotientHigh: u64 = 0
      let quotientLow: u64 = 0
      for (let i = 0; i < 128; i++) {
        rest = (rest << 1) | (high >> 63)
        high = (high << 1) | (low >> 63)
        low <<= 1
        quotientHigh = (quotientHigh << 1) | (quotientLow >> 63)
        quotientLow <<= 1
        if (rest >= divisor) {
          rest -= divisor
          quotientLow |= 1
        }
      }
      high = quotientHigh
      low = quotientLow
    }
    more = more || rest != 0
    lead = clz(high)
    if (lead) {
      high = (high << lead) | (low >> (64 - lead))
      low <<= lead
      exponent -= i32(lead)
    }
  }
  more = more || low != 0
  const sign = u64(negative) << 63
  const leading = exponent + 127
  if (leading > 1023) return reinterpret<f64>(sign | 0x7ff0000000000000)
  const precision = leading >= -1022 ? 53 : leading + 1075
  if (precision < 0) return 0
  const cut = u64(64 - precision)
  // A shift by 64 would shift by 0.
  let mantissa = precision ? high >> cut : 0
  const rest = precision ? high << u64(precision) : high
  const half: u64 = 0x8000000000000000
  if (rest > half || (rest == half && (more || (mantissa & 1)))) mantissa++
  if (mantissa == 0) return 0
  // A carry out of the mantissa lands in the exponent, where it belongs, up to infinity.
  if (precision == 53) mantissa += (u64(leading + 1022) << 52)
  return reinterpret<f64>(sign | mantissa)
}
