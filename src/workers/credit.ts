/** Bounds what is under way between two lanes of a job with a budget: a lane sends no more parts ahead of those that the other has taken. */
const MOST_UNDER_WAY = 4

export interface Credit {
  /** Call it after a part has been sent; resolves once another may be. */
  spend(lane: number): Promise<void>
  /** The other has taken one. */
  earn(lane: number): void
  /** Rejects whoever waits, now and from now on. */
  fail(reason: unknown): void
}

export function createCredit(): Credit {
  const underWay = new Map<number, number>()
  const waiting = new Map<number, { resolve(): void; reject(reason: unknown): void }>()
  let failure: { readonly reason: unknown } | null = null
  return {
    spend(lane) {
      const count = (underWay.get(lane) ?? 0) + 1
      underWay.set(lane, count)
      if (failure !== null) return Promise.reject(failure.reason)
      if (count < MOST_UNDER_WAY) return Promise.resolve()
      return new Promise((resolve, reject) => waiting.set(lane, { resolve, reject }))
    },
    earn(lane) {
      underWay.set(lane, (underWay.get(lane) ?? 0) - 1)
      waiting.get(lane)?.resolve()
      waiting.delete(lane)
    },
    fail(reason) {
      failure = { reason }
      for (const { reject } of waiting.values()) reject(reason)
      waiting.clear()
    },
  }
}
