/** What is made only when it is asked for: each item is made within `run`, which times it, or says whose it is. */
export function* pulled<T>(items: Iterable<T>, run: <R>(work: () => R) => R): Iterable<T> {
  const iterator = run(() => items[Symbol.iterator]())
  try {
    while (true) {
      const next = run(() => iterator.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    iterator.return?.()
  }
}
