/**
 * Sums of integers: an int64 a group while it is certain that none can overflow, 128 bits in two limbs from then on; what is
 * beyond int64 at the end is an error, on the way it is not. Sums of doubles are sum-float.ts's.
 */
import type { DataType, Kind } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import type { LimbLayout } from '../exact.js'
import { digitsOfLimbs, spanOfDigits } from '../exact.js'
import type { Kernels } from '../instance.js'
import type { LaneVector } from '../lane-vector.js'
import { rangeOf } from '../stats.js'
import { fillerOf } from './fill-int.js'
import { createLimbs } from './limbs.js'
import type { Slots, SlotUser } from './slots.js'
import { readDigits, writeDigits } from './state-bytes.js'
import type { Sum } from './sum.js'

const ONE_LIMB: LimbLayout = { limbs: 1, base: 0, width: 0, cap: 63 }
/** 2^40 is `WIDTH` in assembly/aggregate/sum-int.ts. */
const TWO_LIMBS: LimbLayout = { limbs: 2, base: 0, width: 40, cap: 63 }

/** Every value of the kind is below or at 2^bits in magnitude. */
const BITS: Readonly<Partial<Record<Kind, number>>> = {
  int8: 7,
  uint8: 8,
  int16: 15,
  uint16: 16,
  int32: 31,
  uint32: 32,
}

export function createIntSum(k: Kernels, slots: Slots, { kind }: DataType): Sum {
  const { exports } = k
  const fillOne = fillerOf(k, kind)
  const elementBytes = ELEMENT_BYTES[kind] as number
  let data = 0
  let validity = 0
  /** Every present value is below or at 2^top in magnitude. */
  let top = 63

  const user: SlotUser = {
    get lanes() {
      return limbs.layout.limbs
    },
    get bound() {
      return limbs.layout.limbs === 1 ? limbs.bound() : Infinity
    },
    stored() {
      if (validity !== 0 || limbs.layout.limbs === 2) return null
      return kind === 'int32' || kind === 'int64' ? { kind, data, top } : null
    },
    rows: {
      fill(from, count, out, stride) {
        const values = data + elementBytes * from
        const bits = validity === 0 ? 0 : validity + from / 8
        if (elementBytes === 8 && limbs.layout.limbs === 2) exports.sumIntTwo(out, values, bits, count)
        else fillOne(out, stride, values, bits, count)
      },
    },
    promote() {},
  }
  const limbs = createLimbs(k, slots, user, ONE_LIMB)
  slots.add(user)

  /** Promotes before a limb could overflow. Two limbs outlast any input: some 2^38 of the largest values in one group. */
  const reserve = (rows: number, top: number) => {
    if (limbs.reserve(rows, top)) return
    if (limbs.layout.limbs === 1) {
      limbs.relay(TWO_LIMBS)
      limbs.reserve(rows, top)
    }
  }

  return {
    get kernel() {
      return limbs.layout.limbs === 1 ? kind : `${kind} 128`
    },
    resize: limbs.resize,
    begin(vector, bits, _groups, rowCount) {
      data = vector.data
      validity = bits
      const known = vector.range === null ? BITS[kind] : bitsOfRange(vector.range)
      top = known ?? (limbs.layout.limbs === 2 ? 63 : bitsOfRange(rangeOf(k, vector)))
      reserve(rowCount, top)
    },
    finish() {},
    sums(label) {
      const { data: sums, failed } = limbs.integers()
      if (failed >= 0) {
        throw new MillraceError(
          'MR_INTEGER_OVERFLOW',
          `${label}: the exact total of a group is beyond int64; cast the column to float64 before aggregating`,
          { operator: 'aggregate', column: label },
        )
      }
      return sums
    },
    means: limbs.round,
    write(writer, groups, count) {
      if (writer.forLane) {
        limbs.writeLimbs(writer, groups, count)
        return
      }
      writeDigits(k, writer, limbs.digits(groups, count))
    },
    merge(reader, groupMap, groupCount, most) {
      const { memory } = k
      const mark = memory.mark()
      const given = reader.forLane ? limbs.readLimbs(reader, groupCount) : null
      if (given !== null && limbs.addLimbs(given, groupMap, most)) {
        memory.reset(mark)
        return
      }
      const digits =
        given === null ? readDigits(k, reader, groupCount) : digitsOfLimbs(k, given.layout, given.lane, groupCount)
      const span = spanOfDigits(k, digits)
      if (span !== null) {
        reserve(most, span.top)
        limbs.addDigits(digits, groupMap)
      }
      memory.reset(mark)
    },
    free() {},
  }
}

const ELEMENT_BYTES: Readonly<Partial<Record<Kind, number>>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
}

/** Every value of the range is below or at 2^bits in magnitude. */
function bitsOfRange(range: LaneVector['range']): number {
  if (range === null) return 0
  const magnitude = range.min < -range.max ? -range.min : range.max
  return magnitude.toString(2).length
}
