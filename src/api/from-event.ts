/** `fromEvent`: a flow of what an `EventTarget` or an `EventEmitter` tells. */
import type { SchemaShape } from '../columnar/type.js'
import { MillraceError, quote } from '../errors.js'
import { feedSource } from '../sources/live/feed.js'
import { checkSchema, type FullOptions, fullOptions, type PushInput } from './channel.js'
import { type Flow, flowOf } from './flow.js'
import { optionsOf } from './options.js'
import { invalid, show } from './refusal.js'

/** What listeners can be added to and taken from. */
export type EventSourceLike =
  | {
      addEventListener(type: string, listener: (event: any) => void): void
      removeEventListener(type: string, listener: (event: any) => void): void
    }
  | {
      on(type: string, listener: (...args: any[]) => void): unknown
      off(type: string, listener: (...args: any[]) => void): unknown
    }

export interface EventOptions<S extends SchemaShape> extends FullOptions {
  readonly schema: S
  /** A row, several, or columns of an event (of an `EventEmitter`, of its arguments); null or undefined for none. Without it the event itself is the row: its properties are read. */
  readonly map?: (event: any, ...more: any[]) => PushInput<S> | null | undefined
  /** An event that ends the input, such as `'end'`. */
  readonly until?: string
  /** Events do not wait, so what there is no room for is left out, or, which is the default, an error that ends the job. */
  readonly whenFull?: 'dropOldest' | 'dropNewest' | 'error'
}

/**
 * A flow of the events of an `EventTarget` (an element, a `MessagePort`, a worker) or a Node.js `EventEmitter`, from when a job begins to read until it ends.
 *
 * ```ts
 * const target = new EventTarget()
 * const pulses = fromEvent(target, 'pulse', { schema: schema({ rate: float64() }), map: event => ({ rate: event.detail }), until: 'stop' })
 * const means = pulses.aggregate(t => ({ rate: mean(t.rate) })).collect()
 * setTimeout(() => {
 *   for (const rate of [60, 64]) target.dispatchEvent(Object.assign(new Event('pulse'), { detail: rate }))
 *   target.dispatchEvent(new Event('stop'))
 * }, 500)
 * show(await means)
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`; the terminal what a row calls for that does not fit the schema, `MR_USER_CODE_FAILED` where `map` throws, `MR_CHANNEL_FULL`
 */
export function fromEvent<const S extends SchemaShape>(
  target: EventSourceLike,
  type: string,
  options: EventOptions<S>,
): Flow<S> {
  const name = 'fromEvent'
  optionsOf(name, options, '{ schema }', ['schema', 'map', 'until', 'capacity', 'whenFull'])
  const { schema, map, until } = options
  checkSchema(name, schema)
  if (typeof type !== 'string' || type === '')
    throw invalid(name, `the type of the events is a name, not ${show(type)}`)
  if (map !== undefined && typeof map !== 'function') throw invalid(name, `map is a function, not ${show(map)}`)
  if (until !== undefined && typeof until !== 'string') throw invalid(name, `until is a name, not ${show(until)}`)
  const { add, remove } = listenersOf(target)
  const full = fullOptions(name, options, 'error', ['dropOldest', 'dropNewest', 'error'])
  const source = feedSource(name, schema, full, queue => {
    const hear = (...args: unknown[]) => {
      try {
        const data = map === undefined ? args[0] : mapped(map, args, type)
        if (data !== null && data !== undefined && !queue.isClosed) void queue.push(data)
      } catch (error) {
        queue.close(error)
        stop()
      }
    }
    const end = () => {
      queue.close()
      stop()
    }
    let isListening = true
    const stop = () => {
      if (!isListening) return
      isListening = false
      remove(type, hear)
      if (until !== undefined) remove(until, end)
    }
    add(type, hear)
    if (until !== undefined) add(until, end)
    return stop
  })
  return flowOf(source) as Flow<S>
}

function mapped(map: (...args: any[]) => unknown, args: readonly unknown[], type: string): unknown {
  try {
    return map(...args)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new MillraceError(
      'MR_USER_CODE_FAILED',
      `fromEvent: map threw for an event ${quote(type)}: ${what}`,
      { operator: 'fromEvent' },
      error,
    )
  }
}

type Listeners = (type: string, listener: (...args: any[]) => void) => void

/** @throws MillraceError `MR_INVALID_OPTION` */
function listenersOf(target: any): { readonly add: Listeners; readonly remove: Listeners } {
  const has = (add: string, remove: string) =>
    typeof target?.[add] === 'function' && typeof target[remove] === 'function'
  for (const [add, remove] of [
    ['addEventListener', 'removeEventListener'],
    ['on', 'off'],
  ]) {
    if (!has(add, remove)) continue
    return {
      add: (type, listener) => void target[add](type, listener),
      remove: (type, listener) => void target[remove](type, listener),
    }
  }
  throw invalid('fromEvent', `it listens to an EventTarget or an EventEmitter, not ${show(target)}`)
}
