/** Frames that have most of their rows in common: a window goes from frame to frame, and takes in and gives up the rows between. */
import type { Kernels } from '../kernels/instance.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { type Frames, validityOf, valuesOf } from './over-order.js'

/** Frames of so many rows on average, or fewer, are as well given their rows. */
const FEW_ROWS = 16
/** Rows that come and go, and results, between two turns of others. */
const STEPS_AT_ONCE = 65_536

export function isLong({ from, to }: Frames): boolean {
  let sum = 0
  for (let place = 0; place < from.length; place++) sum += to[place] - from[place]
  return sum > FEW_ROWS * from.length
}

/** Calls `move` for places that come into the window, or leave it, and `use` when it is the frame of a place: of all that have any rows. */
export function* slide(
  { from, to }: Frames,
  move: (place: number, by: 1 | -1) => void,
  use: (place: number) => void,
): Generator<null, void> {
  let [low, high] = [0, 0]
  let steps = 0
  const step = (place: number, by: 1 | -1) => {
    steps++
    move(place, by)
  }
  for (let place = 0; place < from.length; place++) {
    const [start, end] = [from[place], to[place]]
    if (start < end) {
      // A frame that has nothing in common with the one before need not be come to by way of all between.
      if (start >= high || end <= low) {
        while (low < high) step(low++, -1)
        low = start
        high = start
      }
      while (low > start) step(--low, 1)
      while (high < end) step(high++, 1)
      while (low < start) step(low++, -1)
      while (high > end) step(--high, -1)
      use(place)
    }
    if (++steps >= STEPS_AT_ONCE) {
      steps = 0
      yield null
    }
  }
}

/** Whether a row counts; null is a column of which all do. */
export function trueIn(k: Kernels, mask: LaneVector | null): (row: number) => boolean {
  if (mask === null) return () => true
  const values = valuesOf(k, mask)
  const isValid = validityOf(k, mask)
  return row => isValid(row) && values[row] === 1
}
