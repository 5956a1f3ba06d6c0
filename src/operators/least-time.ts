/** The least of times that come and go, in a heap: those that are over are passed by when they come to its top. */

export interface LeastTime<T> {
  add(of: T, time: bigint): void
  /** Of those that still are; null where there are none. */
  least(): bigint | null
  /** Those whose time is not after it, as they come, which are no more; null: all. */
  take(upTo: bigint | null): T[]
  clear(): void
}

/** @param isStill whether a time that was added is still one of them; once it is not it never is again, unless it is added again */
export function createLeastTime<T>(isStill: (of: T, time: bigint) => boolean = () => true): LeastTime<T> {
  /** Each before those at `2 i + 1` and `2 i + 2`. */
  let heap: { readonly of: T; readonly time: bigint }[] = []
  const timeAt = (i: number) => (heap[i] as { readonly time: bigint }).time
  const swap = (a: number, b: number) => {
    ;[heap[a], heap[b]] = [heap[b] as (typeof heap)[0], heap[a] as (typeof heap)[0]]
  }

  function pop(): void {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let i = 0; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && timeAt(child) < timeAt(least)) least = child
      if (least === i) return
      swap(i, least)
      i = least
    }
  }

  function least(): bigint | null {
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      if (isStill(top.of, top.time)) return top.time
      pop()
    }
    return null
  }

  return {
    add(of, time) {
      heap.push({ of, time })
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >>> 1
        if (timeAt(parent) <= timeAt(i)) return
        swap(i, parent)
        i = parent
      }
    },
    least,
    take(upTo) {
      const taken: T[] = []
      for (let time = least(); time !== null && (upTo === null || time <= upTo); time = least()) {
        taken.push((heap[0] as { readonly of: T }).of)
        pop()
      }
      return taken
    },
    clear() {
      heap = []
    },
  }
}
