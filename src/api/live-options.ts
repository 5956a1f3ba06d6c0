/** What `webSocket`, `eventSource` and `tail` are told alike, checked by name. */
import type { SchemaShape } from '../columnar/type.js'
import type { Clock } from '../metrics/clock.js'
import { type BackoffOptions, seededRandom } from '../sources/live/backoff.js'
import { type Decode, decoderOf, type MessageFormat } from '../sources/live/decode.js'
import type { BadMessage, FeedStatus, IntakeSettings } from '../sources/live/intake.js'
import type { FullOptions, PushInput } from './channel.js'
import { optionsOf, wholeNumber } from './options.js'
import { invalid, show } from './refusal.js'
import { checkClock, millisecondsOf } from './timers.js'

/** What a message becomes: a row, several, columns, a batch or a table; null or undefined for none. */
export type MessageDecoder<S extends SchemaShape, M> = (message: M) => PushInput<S> | null | undefined

/** How a connection that is lost is made again; durations as `'1s'` or in milliseconds. */
export interface ReconnectOptions {
  /** The wait after a first failure, doubled by each that follows: `'500ms'`. */
  readonly min?: string | number
  /** The longest wait: `'30s'`, or `min` where that is longer. */
  readonly max?: string | number
  /** The share of a wait that chance may take away, 0 to 1, so that not all clients come at once: 0.5. */
  readonly jitter?: number
  /** Makes that chance repeatable. */
  readonly seed?: number
  /** Failures in a row after which the job fails with `MR_SOURCE_FAILED`; without it there is no end. */
  readonly attempts?: number
}

export interface MessageOptions<S extends SchemaShape, M> extends FullOptions {
  readonly schema: S
  /**
   * `'json'` (the default): a row or an array of rows; `'ndjson'`: a row a line; `'csv'`: lines with all columns in the schema's order; or a function. Times in text are ISO 8601, or numbers that count the column's
   * unit; an int64 may be a string of digits. A message that cannot be read, or of which a row does not fit the schema, is left out whole, counted, and told to `onBadMessage`.
   */
  readonly format?: MessageFormat | MessageDecoder<S, M>
  /** Told of each message that has been left out; what it throws, or rejects with, ends the job. */
  readonly onBadMessage?: (bad: BadMessage) => void
  /** Leaves out rows whose value in a column is among the last values there (65,536 unless told): what a feed says twice. Null is never the same as another. */
  readonly unique?: string | { readonly column: string; readonly last?: number }
  /** By default the job's (`RunOptions.clock`), and where it has none the computer's. */
  readonly clock?: Clock
}

export interface ConnectionOptions<S extends SchemaShape, M> extends MessageOptions<S, M> {
  /** How often, and after which waits, a lost connection is made again; false: never, and its end is the end of the input. */
  readonly reconnect?: ReconnectOptions | false
  /** Told whenever the connection is begun, open, lost or given up, with all counts; what it throws, or rejects with, ends the job. */
  readonly onStatus?: (status: FeedStatus) => void
}

export const MESSAGE_OPTIONS = ['schema', 'format', 'onBadMessage', 'unique', 'clock', 'capacity', 'whenFull']
export const CONNECTION_OPTIONS = [...MESSAGE_OPTIONS, 'reconnect', 'onStatus']

/** @throws MillraceError `MR_INVALID_OPTION` */
export function messageSettings(
  operator: string,
  { schema, format = 'json', onBadMessage, unique, clock }: MessageOptions<any, any>,
): IntakeSettings & { readonly clock: Clock | undefined; readonly decode: Decode | ((message: any) => unknown) } {
  if (typeof format !== 'function' && !['json', 'ndjson', 'csv'].includes(format))
    throw invalid(operator, `format is 'json', 'ndjson', 'csv' or a function, not ${show(format)}`)
  checkFunction(operator, 'onBadMessage', onBadMessage)
  return {
    decode: typeof format === 'function' ? format : decoderOf(format, schema, operator),
    onBadMessage,
    unique: unique === undefined ? null : uniqueOf(operator, unique, schema),
    clock: clock === undefined ? undefined : checkClock(operator, clock),
  }
}

function uniqueOf(
  operator: string,
  unique: NonNullable<MessageOptions<any, any>['unique']>,
  schema: SchemaShape,
): IntakeSettings['unique'] {
  const { column, last = 65_536 } =
    typeof unique === 'string'
      ? { column: unique }
      : optionsOf(operator, unique, "{ column: 'id' }", ['column', 'last'])
  if (!Object.hasOwn(schema, column)) throw invalid(operator, `unique is a column of the schema, not ${show(column)}`)
  return { column, last: wholeNumber(operator, 'last', last, 1, 2 ** 24) }
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function reconnectSettings(operator: string, reconnect: ReconnectOptions | false = {}): BackoffOptions | null {
  if (reconnect === false) return null
  optionsOf(operator, reconnect, "{ min: '500ms' }", ['min', 'max', 'jitter', 'seed', 'attempts'])
  const { min = 500, max, jitter = 0.5, seed, attempts } = reconnect
  const minMs = millisecondsOf(operator, 'min', min, 1)
  const maxMs = millisecondsOf(operator, 'max', max ?? Math.max(30_000, minMs), minMs)
  if (!(jitter >= 0 && jitter <= 1)) throw invalid(operator, `jitter is a number from 0 to 1, not ${show(jitter)}`)
  if (seed !== undefined && !Number.isFinite(seed)) throw invalid(operator, `seed is a number, not ${show(seed)}`)
  return {
    minMs,
    maxMs,
    jitter,
    attempts: attempts === undefined ? Infinity : wholeNumber(operator, 'attempts', attempts, 0, 2 ** 31),
    random: seed === undefined ? Math.random : seededRandom(seed),
  }
}

/** @throws MillraceError `MR_INVALID_OPTION` */
export function checkFunction(operator: string, name: string, fn: unknown): void {
  if (fn !== undefined && typeof fn !== 'function') throw invalid(operator, `${name} is a function, not ${show(fn)}`)
}

/** An address, or what gives one for each connection. @throws MillraceError `MR_INVALID_OPTION` */
export function addressOf(operator: string, url: unknown): () => string | URL | Promise<string | URL> {
  if (typeof url === 'function') return url as () => string
  if (typeof url === 'string' || url instanceof URL) return () => url
  throw invalid(operator, `the address is a string, a URL, or a function that gives one, not ${show(url)}`)
}
