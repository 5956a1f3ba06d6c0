/** Waiting that a signal ends: what is awaited need not know of the signal. */

/** What `promise` gives, or the signal's reason as soon as it is aborted; what comes after that is dropped. Leaves no listener. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
  })
  try {
    const value = await Promise.race([promise, aborted])
    signal.throwIfAborted()
    return value
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
