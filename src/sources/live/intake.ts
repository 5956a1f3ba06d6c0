/** From messages to a queue: decoded, those left out that came before, and those counted and told that are none. Every connection has one, over all its connections. */

import { hearPromises } from '../../columnar/infer.js'
import { MillraceError, quote } from '../../errors.js'
import type { Decode, Message } from './decode.js'
import { isRead, type RowQueue } from './queue.js'

/** A message that could not be read, or whose rows do not fit the schema: nothing of it has been taken. */
export interface BadMessage {
  readonly data: Message
  readonly error: unknown
  /** How many there have been. */
  readonly count: number
}

export interface IntakeSettings {
  readonly decode: Decode
  readonly onBadMessage: ((bad: BadMessage) => void) | undefined
  /** Rows with a value in `column` that one of the `last` values before them was are left out. */
  readonly unique: { readonly column: string; readonly last: number } | null
}

export interface Counts {
  messages: number
  badMessages: number
  rows: number
  /** Rows that had come before. */
  repeated: number
}

export interface Intake {
  readonly counts: Readonly<Counts>
  /** Resolves once there is room. @throws what ends the feed: a queue that is full or closed, and what `onBadMessage` throws */
  take(message: Message): Promise<void>
  /** Many messages, each a row: the same, faster. */
  takeAll(messages: readonly Message[]): Promise<void>
}

const ROOM = Promise.resolve()

export function createIntake(
  queue: RowQueue,
  { decode, onBadMessage, unique }: IntakeSettings,
  operator: string,
): Intake {
  const counts: Counts = { messages: 0, badMessages: 0, rows: 0, repeated: 0 }
  const recent = unique === null ? null : createRecent(unique.last)

  const bad = (data: Message, error: unknown): void => {
    counts.badMessages++
    queue.hear(onBadMessage?.({ data, error, count: counts.badMessages }))
  }

  const push = (data: unknown): Promise<void> => {
    const before = queue.waiting + queue.dropped
    const room = queue.push(data)
    counts.rows += queue.waiting + queue.dropped - before
    return room
  }

  /** Rows that are new, and their keys, which count once the rows have been taken. */
  const newOnes = (given: readonly unknown[], column: string, known: Recent) => {
    const rows: unknown[] = []
    const keys: unknown[] = []
    const own = new Set<unknown>()
    for (const row of given) {
      const key = keyOf((row as Record<string, unknown> | null)?.[column])
      if (key !== null && (known.has(key) || own.has(key))) continue
      rows.push(row)
      own.add(key)
      if (key !== null) keys.push(key)
    }
    return { rows, keys }
  }

  const taken = (data: unknown): Promise<void> => {
    // What is no row the queue refuses.
    if (recent === null || unique === null || !isObject(data) || data instanceof Promise) return push(data)
    if (queue.isColumns(data)) {
      throw new MillraceError(
        // Arrays may be what the message had, which others are none the worse for.
        isRead(data) ? 'MR_INVALID_OPTION' : 'MR_TYPE_MISMATCH',
        `${operator}: unique is for rows, and columns, a batch or a table were given; have format give rows`,
        { operator },
      )
    }
    const given = Array.isArray(data) ? data : [data]
    const { rows, keys } = newOnes(given, unique.column, recent)
    const repeated = given.length - rows.length
    const room = rows.length === 0 ? ROOM : push(rows)
    counts.repeated += repeated
    for (const key of keys) recent.add(key)
    return room
  }

  /** Once: a function of the caller's may go by those that came before. */
  const decoded = (message: Message): Decoded => {
    try {
      const data = decode(message)
      hearPromises([data])
      return { message, data, failure: null }
    } catch (error) {
      return { message, data: null, failure: { error } }
    }
  }

  const takeDecoded = ({ message, data, failure }: Decoded): Promise<void> => {
    counts.messages++
    try {
      if (failure !== null) throw failure.error
      return data === null || data === undefined ? ROOM : taken(data)
    } catch (error) {
      if (isEnd(error)) throw error
      bad(message, error)
      return ROOM
    }
  }

  /** Of messages that are all rows, or none. */
  const rowsOf = (all: readonly Decoded[]): unknown[] | null => {
    const rows: unknown[] = []
    for (const { data, failure } of all) {
      if (failure !== null || (isObject(data) && queue.isColumns(data))) return null
      if (Array.isArray(data)) for (const row of data) rows.push(row)
      else if (data !== null && data !== undefined) rows.push(data)
    }
    return rows
  }

  return {
    counts,
    take: message => takeDecoded(decoded(message)),
    async takeAll(messages) {
      const all = messages.map(decoded)
      const rows = rowsOf(all)
      try {
        if (rows !== null) {
          const room = taken(rows)
          counts.messages += messages.length
          await room
          return
        }
      } catch (error) {
        if (isEnd(error)) throw error
      }
      for (const each of all) await takeDecoded(each)
    },
  }
}

/** What a message has become. */
interface Decoded {
  readonly message: Message
  readonly data: unknown
  readonly failure: { readonly error: unknown } | null
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Not of one message. */
const isEnd = (error: unknown): boolean =>
  error instanceof MillraceError && ['MR_CHANNEL_FULL', 'MR_CLOSED', 'MR_INVALID_OPTION'].includes(error.code)

/** What is compared; null where there is nothing to compare. An integer is the same as a number and as digits, of which decode.ts makes a bigint. */
function keyOf(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return plain(value)
  return typeof value === 'object' ? String(JSON.stringify(value, (_, item) => plain(item))) : value
}

/** Of a bigint a number where it is one, else its digits. */
const plain = (value: unknown): unknown =>
  typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`

type Recent = ReturnType<typeof createRecent>

/** The last so many values, in the order in which they came. */
function createRecent(last: number) {
  const values = new Set<unknown>()
  return {
    has: (value: unknown) => values.has(value),
    add(value: unknown) {
      values.add(value)
      if (values.size > last) values.delete(values.values().next().value)
    },
  }
}

/** What a feed says of itself, whenever its state changes. */
export interface FeedStatus extends Readonly<Counts> {
  /** `waiting`: for the next attempt; `ended`: there is none. */
  readonly state: 'connecting' | 'open' | 'waiting' | 'ended'
  readonly url: string
  /** Connections that have been open. */
  readonly connections: number
  /** Attempts in a row that have failed. */
  readonly failures: number
  /** Rows that there was no room for. */
  readonly dropped: number
  /** Why the connection was lost, or null. */
  readonly reason: string | null
  /** Milliseconds until the next attempt, where one is waited for. */
  readonly retryInMs: number | null
}

/** @param status that a server refused with */
export function feedFailed(
  operator: string,
  url: string,
  reason: string,
  attempts: number,
  status?: number,
): MillraceError {
  const times = attempts > 1 ? ` (${attempts} attempts)` : ''
  return new MillraceError('MR_SOURCE_FAILED', `${operator}: ${quote(url)} is lost: ${reason}${times}`, {
    operator,
    file: url,
    attempts,
    ...(status === undefined ? {} : { status }),
  })
}
