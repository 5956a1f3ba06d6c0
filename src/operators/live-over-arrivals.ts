/**
 * Rows of an `over` that wait until the watermark is past their times; or are taken as they come, where that is their order. The rows themselves are in a log: here they are numbers, in runs, of which one is
 * put together with another that is not much larger, so that few are asked each time.
 */

export interface Settled {
  /** By their times, and of equal times as they came. */
  readonly numbers: readonly number[]
  /** Empty where rows are in the order in which they came. */
  readonly times: readonly bigint[]
  /** Their partitions. */
  readonly groups: readonly number[]
}

export interface Arrivals {
  /** Rows `first` and on. @param times null: their order is that in which they come */
  add(first: number, groups: Uint32Array, times: BigInt64Array | null): void
  /** Those whose time is before `limit`, each once; null: all. */
  take(limit: bigint | null): Settled
  /** Partitions have other numbers. */
  regroup(groups: Uint32Array): void
}

interface Run {
  /** By their times. */
  readonly numbers: Float64Array
  readonly times: BigInt64Array | null
  groups: Uint32Array
  next: number
}

export function createArrivals(): Arrivals {
  let runs: Run[] = []
  return {
    add(first, groups, times) {
      const numbers = Float64Array.from(groups, (_, row) => first + row)
      let added = inOrder({ numbers, times, groups, next: 0 })
      for (let last = runs.at(-1); last && left(last) < 2 * left(added); last = runs.at(-1)) {
        runs.pop()
        added = inOrder(together(last, added))
      }
      runs.push(added)
    },
    take(limit) {
      const numbers: number[] = []
      const times: bigint[] = []
      const groups: number[] = []
      for (const run of runs) {
        const { length } = run.numbers
        for (; run.next < length; run.next++) {
          const time = run.times?.[run.next]
          if (limit !== null && time !== undefined && time >= limit) break
          numbers.push(run.numbers[run.next] as number)
          groups.push(run.groups[run.next] as number)
          if (time !== undefined) times.push(time)
        }
      }
      if (numbers.length === 0) return { numbers, times, groups }
      runs = runs.filter(({ numbers: all, next }) => next < all.length)
      if (isAscending(times)) return { numbers, times, groups }
      // Runs follow one another as they came, so that of equal times the earlier stays the first.
      const order = orderOf(times)
      return {
        numbers: order.map(i => numbers[i] as number),
        times: order.map(i => times[i] as bigint),
        groups: order.map(i => groups[i] as number),
      }
    },
    regroup(given) {
      for (const run of runs) run.groups = run.groups.map(group => given[group] as number)
    },
  }
}

const left = ({ numbers, next }: Run): number => numbers.length - next

/** What is left of both, as they came. */
function together(a: Run, b: Run): Run {
  const length = left(a) + left(b)
  const numbers = new Float64Array(length)
  const times = a.times === null ? null : new BigInt64Array(length)
  const groups = new Uint32Array(length)
  let at = 0
  for (const run of [a, b]) {
    numbers.set(run.numbers.subarray(run.next), at)
    times?.set((run.times as BigInt64Array).subarray(run.next), at)
    groups.set(run.groups.subarray(run.next), at)
    at += left(run)
  }
  return { numbers, times, groups, next: 0 }
}

function inOrder(run: Run): Run {
  const { numbers, times, groups } = run
  if (times === null || isAscending(times)) return run
  const order = orderOf(times)
  return {
    numbers: Float64Array.from(order, i => numbers[i] as number),
    times: BigInt64Array.from(order, i => times[i] as bigint),
    groups: Uint32Array.from(order, i => groups[i] as number),
    next: 0,
  }
}

function isAscending(times: ArrayLike<bigint>): boolean {
  for (let i = 1; i < times.length; i++) if ((times[i] as bigint) < (times[i - 1] as bigint)) return false
  return true
}

/** Stable. */
function orderOf(times: ArrayLike<bigint>): number[] {
  const order = Array.from({ length: times.length }, (_, i) => i)
  return order.sort((a, b) => {
    const [left, right] = [times[a] as bigint, times[b] as bigint]
    return left < right ? -1 : left > right ? 1 : a - b
  })
}
