/** Waiting that a signal ends: what is awaited need not know of the signal. */

/**
 * What is being waited for. Chromium keeps a stream of a blob only as long as the page can reach it, also while a read of it is pending: collected, the read would never end.
 * Whoever waits reaches the stream, and is reached from here.
 */
const awaited = new Set<Promise<unknown>>()

/** What `promise` gives, or the signal's reason as soon as it is aborted; what comes after that is dropped. Leaves no listener. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  awaited.add(promise)
  try {
    return await (signal === undefined ? promise : raced(promise, signal))
  } finally {
    awaited.delete(promise)
  }
}

async function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
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
