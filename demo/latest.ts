/** Latest wins: of calls that overlap only the newest is finished, the earlier ones are aborted. */

/**
 * @returns a function that starts `work` anew, aborting what it started before; it resolves to null for a call that was overtaken.
 */
export function latest<A extends readonly unknown[], R>(
  work: (signal: AbortSignal, ...args: A) => Promise<R>,
): (...args: A) => Promise<R | null> {
  let current: AbortController | null = null
  return async (...args) => {
    current?.abort(new DOMException('a newer question was asked', 'AbortError'))
    const controller = new AbortController()
    current = controller
    try {
      const result = await work(controller.signal, ...args)
      return controller.signal.aborted ? null : result
    } catch (error) {
      if (controller.signal.aborted) return null
      throw error
    }
  }
}
