/** A port's messages as something to wait for. The queue is bounded by its sender: two splits ahead, or what a gather must hold anyway. */
import type { Port } from './port.js'

export interface Mailbox<T> {
  /** The next message, once there is one. */
  next(): Promise<T>
  /** Rejects whoever waits, now and from now on. */
  fail(reason: unknown): void
}

/** @param intercept sees each message as it arrives and keeps those that must not wait in the queue. */
export function openMailbox<T>(port: Port, intercept: (message: T) => boolean = () => false): Mailbox<T> {
  const queue: T[] = []
  let waiting: { resolve(message: T): void; reject(reason: unknown): void } | null = null
  let failure: { reason: unknown } | null = null
  port.onmessage = (message: T) => {
    if (intercept(message) || failure !== null) return
    if (waiting === null) queue.push(message)
    else {
      waiting.resolve(message)
      waiting = null
    }
  }
  return {
    next() {
      if (failure !== null) return Promise.reject(failure.reason)
      if (queue.length > 0) return Promise.resolve(queue.shift() as T)
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
      })
    },
    fail(reason) {
      failure = { reason }
      // What nobody will read may be megabytes.
      queue.length = 0
      waiting?.reject(reason)
      waiting = null
    },
  }
}
