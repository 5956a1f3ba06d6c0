/** A source that listens to something, a timer or a connection, while a job reads it: each job begins anew. What it hears it pushes into a queue (queue.ts). */
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError } from '../../errors.js'
import { type Clock, stopwatch } from '../../metrics/clock.js'
import type { Source } from '../source.js'
import { createQueue, type QueueOptions, type RowQueue } from './queue.js'

/**
 * Begins to listen, and pushes until it closes the queue or is told to stop. The answer stops it: at once, whatever it waits for; nothing of it is left. `clock`: the job's, where it has been given one.
 */
export type Listen = (queue: RowQueue, clock?: Clock) => () => void

/** What listens by a clock: its own, or the job's, or the computer's. */
export const byClock =
  (own: Clock | undefined, otherwise: Clock, listen: (clock: Clock) => Listen): Listen =>
  (queue, job) =>
    listen(own ?? job ?? otherwise)(queue)

/** @param isEndless whether it may never end by itself */
export function feedSource(
  label: string,
  schema: SchemaShape,
  options: QueueOptions,
  listen: Listen,
  isEndless = true,
): Source {
  return {
    label,
    schema,
    rowCount: null,
    once: true,
    ...(isEndless && { isEndless: true }),
    describe: async () => schema,
    async open({ columns, clock }) {
      const queue = createQueue(schema, options, label)
      const supply = queue.supply(columns, stopwatch(clock))
      let stop: (() => void) | null = null
      let isLeft = false
      const letGo = () => {
        isLeft = true
        stop?.()
        stop = null
      }
      return {
        splits: [],
        rest: {
          // Only a job that really runs asks for rows, and such a job closes what it has asked.
          async next() {
            if (isLeft) return null
            stop ??= listen(queue, clock)
            try {
              const split = await supply.next()
              if (split === null) letGo()
              return split
            } catch (error) {
              letGo()
              throw error
            }
          },
          counts: () => supply.counts?.() ?? [],
          finish() {
            try {
              stop?.()
            } catch {
              // What cannot be let go of has nobody to hear it.
            }
            stop = () => {}
            supply.finish?.()
          },
          async close() {
            letGo()
            await supply.close()
          },
        },
      }
    },
  }
}

/** A source over a queue that someone else fills: read once. */
export function queueSource(label: string, schema: SchemaShape, queue: RowQueue): Source {
  let consumed = false
  return {
    label,
    schema,
    rowCount: null,
    once: true,
    isEndless: true,
    describe: async () => schema,
    unread() {
      if (consumed) return
      consumed = true
      void queue.supply([]).close()
    },
    async open({ columns, clock }) {
      if (consumed) {
        throw new MillraceError(
          'MR_SOURCE_CONSUMED',
          `${label}: its rows go to the job that reads it already; run several flows over it together, by runAll, or make one for each`,
        )
      }
      consumed = true
      return { splits: [], rest: queue.supply(columns, stopwatch(clock)) }
    },
  }
}
