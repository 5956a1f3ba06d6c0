/** Rows a second, over the last second or so. */

export interface Rate {
  /** The count so far. @returns what is added to it in a second; null where too little is known */
  at(count: number): number | null
  reset(): void
}

const OVER_MS = 1000

export function createRate(): Rate {
  let looks: { readonly at: number; readonly count: number }[] = []
  return {
    at(count) {
      const at = performance.now()
      looks.push({ at, count })
      while (looks.length > 2 && looks[1].at <= at - OVER_MS) looks.shift()
      const [first] = looks
      return at - first.at < OVER_MS / 4 ? null : ((count - first.count) / (at - first.at)) * 1000
    },
    reset() {
      looks = []
    },
  }
}
