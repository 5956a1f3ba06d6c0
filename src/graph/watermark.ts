/** The watermark of a stream of rows: the latest time so far, less a delay, row by row, so that it does not matter how rows come in batches. */
import { isNullAt, type Vector } from '../columnar/vector.js'

export interface Watermark {
  /** No row that is not late has a time below it; the least int64 before the first. */
  readonly value: bigint
  /**
   * What it is as each row has come, in ticks. A row that is further ahead than it may be moves nothing and is late whatever its windows are: its own is the greatest int64. A row
   * without a time has that of the one before.
   */
  ofRows(times: Vector): BigInt64Array<ArrayBuffer>
  /** Whether, all times being known and within these, their windows are few, and all still open when it has come to the latest. */
  mayAdvance(times: Times, windows: { readonly size: bigint; readonly offset: bigint }): boolean
  /** The time with which the window of the earliest of these closes; null where it has closed already, or where that is not to be known. */
  closing(times: Times, windows: { readonly size: bigint; readonly offset: bigint }): bigint | null
  /** Goes on to a time, as `ofRows` does. */
  advance(time: bigint): void
}

interface Times {
  readonly min: bigint
  readonly max: bigint
}

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n
const MOST_WINDOWS = 16n
/** Instants of which sums and differences are exact in a double. */
const MOST_EXACT = 2 ** 52

export function createWatermark(options: { readonly delay: bigint; readonly maxAdvance: bigint | null }): Watermark {
  const { delay, maxAdvance } = options
  const isPlain = maxAdvance === null && delay < BigInt(MOST_EXACT)
  let latest: bigint | null = null

  const behind = (time: bigint): bigint => (time - LEAST < delay ? LEAST : time - delay)

  /** Of the window of the earliest; null where they are too many, or too far away. */
  function endOf({ min, max }: Times, { size, offset }: { size: bigint; offset: bigint }): bigint | null {
    if (maxAdvance !== null || max - min > MOST_WINDOWS * size || min <= LEAST + size) return null
    const since = (min - offset) % size
    const end = min - (since < 0n ? since + size : since) + size
    return end < MOST ? end : null
  }

  return {
    get value() {
      return latest === null ? LEAST : behind(latest)
    },
    mayAdvance(times, windows) {
      const end = endOf(times, windows)
      const { max } = times
      return end !== null && behind(latest !== null && latest > max ? latest : max) < end
    },
    closing(times, windows) {
      const end = endOf(times, windows)
      if (end === null || end > MOST - delay || (latest !== null && latest >= end + delay)) return null
      return end + delay
    },
    advance(time) {
      if (latest === null || time > latest) latest = time
    },
    ofRows(times) {
      const { length } = times
      const marks = new BigInt64Array(length)
      if (isPlain && exactly(times, marks)) return marks
      const data = times.data as BigInt64Array
      for (let row = 0; row < length; row++) {
        if (!isNullAt(times, row)) {
          const time = data[row] as bigint
          if (latest === null || time <= latest) latest ??= time
          else if (maxAdvance !== null && time - latest > maxAdvance) {
            marks[row] = MOST
            continue
          } else latest = time
        }
        marks[row] = latest === null ? LEAST : behind(latest)
      }
      return marks
    },
  }

  /** The same in doubles, which takes a fraction of the time; false where some instant is beyond them, and then nothing has been done. */
  function exactly(times: Vector, marks: BigInt64Array<ArrayBuffer>): boolean {
    const { data, length, validity } = times
    const { buffer, byteOffset } = data as BigInt64Array
    if (latest === null) {
      let row = 0
      while (row < length && isNullAt(times, row)) row++
      if (row > 0 || length === 0) return false
      latest = (data as BigInt64Array)[0] as bigint
    }
    const words = new Int32Array(buffer, byteOffset, 2 * length)
    const out = new Int32Array(marks.buffer)
    const least = Number(delay)
    let most = Number(latest)
    if (Math.abs(most) > MOST_EXACT) return false
    const begun = most
    let mark = most - least
    let low = mark | 0
    let high = Math.floor(mark / 2 ** 32)
    for (let row = 0; row < length; row++) {
      if (validity === null || !isNullAt(times, row)) {
        const top = words[2 * row + 1] as number
        const time = top * 2 ** 32 + ((words[2 * row] as number) >>> 0)
        if (time > most) {
          if (time > MOST_EXACT) {
            latest = BigInt(begun)
            return false
          }
          most = time
          mark = most - least
          low = mark | 0
          high = Math.floor(mark / 2 ** 32)
        }
      }
      out[2 * row] = low
      out[2 * row + 1] = high
    }
    latest = BigInt(most)
    return true
  }
}
