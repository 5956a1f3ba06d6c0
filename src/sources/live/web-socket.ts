/** A WebSocket that is connected again whenever it is lost. What its messages become is intake.ts's business. */
import { MillraceError } from '../../errors.js'
import type { Clock } from '../../metrics/clock.js'
import { type BackoffOptions, createBackoff } from './backoff.js'
import type { Message } from './decode.js'
import type { Listen } from './feed.js'
import { createIntake, type FeedStatus, feedFailed, type IntakeSettings } from './intake.js'

/** What is wanted of the class of the same name: browsers, Node.js from 22 on, and the package `ws` have it. */
export interface SocketLike {
  binaryType: string
  onopen: ((event: any) => void) | null
  onmessage: ((event: any) => void) | null
  onclose: ((event: any) => void) | null
  onerror: ((event: any) => void) | null
  send(data: any): void
  close(code?: number, reason?: string): void
  /** Of `ws`: at once, where `close` waits for the other side. */
  terminate?(): void
}

export interface SocketSettings extends IntakeSettings {
  readonly url: () => string | URL | Promise<string | URL>
  readonly connect: (url: string) => SocketLike
  /** What is sent whenever it is open. */
  readonly hello: () => readonly Message[]
  /** Null: the first end is the end. */
  readonly backoff: BackoffOptions | null
  readonly openMs: number
  readonly heartbeat: {
    readonly everyMs: number
    readonly timeoutMs: number
    readonly message: (() => Message) | null
  } | null
  readonly onStatus: ((status: FeedStatus) => void) | undefined
  readonly clock: Clock
}

const OPERATOR = 'webSocket'

export const socketFeed =
  (settings: SocketSettings): Listen =>
  queue => {
    const { clock, heartbeat } = settings
    const intake = createIntake(queue, settings, OPERATOR)
    const backoff = settings.backoff === null ? null : createBackoff(settings.backoff)
    let url = ''
    let connections = 0
    let failures = 0
    let socket: SocketLike | null = null
    let isOver = false
    let lastHeard = 0
    const timers = new Set<() => void>()

    const after = (milliseconds: number, fn: () => void) => {
      const cancel = clock.setTimer(clock.now() + milliseconds, () => {
        timers.delete(cancel)
        guard(fn)
      })
      timers.add(cancel)
    }
    const clearTimers = () => {
      for (const cancel of timers) cancel()
      timers.clear()
    }
    /** What the caller's functions throw ends the feed. */
    const guard = (fn: () => void) => {
      try {
        fn()
      } catch (error) {
        end(error)
      }
    }
    const tell = (state: FeedStatus['state'], reason: string | null = null, retryInMs: number | null = null) => {
      const { dropped } = queue
      const status = { ...intake.counts, state, url, connections, failures, dropped, reason, retryInMs }
      queue.hear(settings.onStatus?.(status))
    }
    /** Lets go of the socket, whatever state it is in. @param isDead nobody is there to answer */
    const drop = (isDead = false) => {
      clearTimers()
      if (socket === null) return
      const dropped = socket
      socket = null
      dropped.onopen = null
      dropped.onmessage = null
      dropped.onclose = null
      // Of one that was still connecting it may yet tell.
      dropped.onerror = () => {}
      try {
        if (isDead && dropped.terminate !== undefined) dropped.terminate()
        else dropped.close(1000)
      } catch {
        // One that cannot be closed is closed.
      }
    }
    const end = (error?: unknown) => {
      if (isOver) return
      isOver = true
      drop()
      queue.close(error)
    }
    const finish = (reason: string, isClean: boolean) => {
      tell('ended', reason)
      end(isClean ? undefined : feedFailed(OPERATOR, url, reason, failures))
    }
    const lose = (reason: string, isClean: boolean, isDead = false) => {
      if (isOver) return
      drop(isDead)
      failures++
      const wait = backoff === null ? null : backoff.next()
      if (wait === null) {
        finish(reason, isClean && backoff === null)
        return
      }
      after(wait, connect)
      tell('waiting', reason, wait)
    }

    const hear = (data: unknown) => {
      lastHeard = clock.now()
      failures = 0
      backoff?.reset()
      const message = messageOf(data)
      void intake.take(message)
    }
    const beat = ({ everyMs, timeoutMs, message }: NonNullable<typeof heartbeat>, dueAt: number) => {
      const now = clock.now()
      // Where this comes late, messages that came in time may be waiting behind it.
      if (now - dueAt < everyMs && now - lastHeard >= timeoutMs) {
        lose(`nothing has been heard for ${now - lastHeard} ms`, false, true)
        return
      }
      if (message !== null) socket?.send(message())
      after(everyMs, () => beat({ everyMs, timeoutMs, message }, now + everyMs))
    }
    const opened = () => {
      clearTimers()
      connections++
      lastHeard = clock.now()
      for (const message of settings.hello()) socket?.send(message)
      if (heartbeat !== null) after(heartbeat.everyMs, () => beat(heartbeat, lastHeard + heartbeat.everyMs))
      tell('open')
    }
    const connect = () => {
      const attempt = async () => String(await settings.url())
      attempt().then(
        found => {
          if (isOver) return
          url = found
          guard(() => {
            tell('connecting')
            if (isOver) return
            let made: SocketLike
            try {
              made = settings.connect(url)
            } catch (error) {
              // An address that is none stays none.
              if (error instanceof MillraceError) end(error)
              else finish(error instanceof Error ? error.message : String(error), false)
              return
            }
            socket = made
            made.binaryType = 'arraybuffer'
            const mine = (fn: (event: any) => void) => (event: any) => {
              if (socket === made) guard(() => fn(event))
            }
            let isOpening = true
            made.onopen = mine(() => {
              isOpening = false
              opened()
            })
            made.onmessage = mine(({ data }) => hear(data))
            made.onclose = mine(({ code, reason }) =>
              lose(`closed with code ${code}${reason ? `, ${reason}` : ''}`, code === 1000),
            )
            // Of one that cannot be opened the WebSocket of undici 6 tells no end.
            made.onerror = mine(({ message }) => {
              if (isOpening) lose(`it cannot be opened${message ? `: ${message}` : ''}`, false)
            })
            after(settings.openMs, () => lose(`not open after ${settings.openMs} ms`, false))
          })
        },
        error => guard(() => lose(`no address: ${error instanceof Error ? error.message : String(error)}`, false)),
      )
    }
    connect()
    return () => {
      isOver = true
      drop()
    }
  }

/** Text, or bytes. */
function messageOf(data: unknown): Message {
  if (typeof data === 'string') return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data as ArrayBuffer)
}
