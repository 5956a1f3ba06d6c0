/** Latest wins: of calls that overlap only the newest is finished, the earlier ones are aborted. */

export interface Latest<A extends readonly unknown[]> {
  /** Starts the work anew, aborting what was started before. Resolves when it has ended, be it that it was overtaken; rejects as the work does. */
  start(...args: A): Promise<void>
  /** Aborts what is under way. */
  stop(): void
}

export function latest<A extends readonly unknown[]>(
  work: (signal: AbortSignal, ...args: A) => Promise<void>,
): Latest<A> {
  let current = new AbortController()
  const stop = () => current.abort(new DOMException('overtaken', 'AbortError'))
  return {
    stop,
    async start(...args) {
      stop()
      current = new AbortController()
      const { signal } = current
      try {
        await work(signal, ...args)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}
