/** Waiting that a time ends: what is awaited need not know of it. */
export const LATE = Symbol('late')

/** What `promise` gives, or `LATE` where it has not in `ms`; what comes after that is dropped. Leaves no timer. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<typeof LATE>(resolve => {
    timer = setTimeout(() => resolve(LATE), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
