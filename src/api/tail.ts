/** `tail`: a flow of the lines that are added to a file. How it is followed is sources/live/tail.ts's business. */

import { tailFiles } from '#tail-file'
import type { SchemaShape } from '../columnar/type.js'
import { steadyClock } from '../metrics/clock.js'
import { byClock, feedSource } from '../sources/live/feed.js'
import { tailFeed } from '../sources/live/tail.js'
import { checkSchema, fullOptions } from './channel.js'
import { type Flow, flowOf } from './flow.js'
import { MESSAGE_OPTIONS, type MessageDecoder, type MessageOptions, messageSettings } from './live-options.js'
import { optionsOf } from './options.js'
import { invalid, show } from './refusal.js'
import { millisecondsOf } from './timers.js'

export interface TailOptions<S extends SchemaShape> extends Omit<MessageOptions<S, string>, 'format'> {
  /** How a line is read: `'ndjson'` (the default), a JSON object; `'csv'`, all columns in the schema's order; or a function. */
  readonly format?: 'ndjson' | 'csv' | MessageDecoder<S, string>
  /** Where in a file that is there already: behind its last byte, `'end'`, the default, or at its `'start'`. */
  readonly from?: 'start' | 'end'
  /** Whether the first line of each file is none of its rows. */
  readonly header?: boolean
  /** How often the file is looked at: `'250ms'`. */
  readonly every?: string | number
}

/**
 * A flow of the lines that are added to a file, from when a job begins to read until it ends; in Node.js. It goes on when the file is truncated, and when it is renamed and another takes its name, as logs are rotated: the old one is read to its
 * end first. A file that is not there yet is waited for. It is read as fast as the job takes its rows.
 *
 * ```ts
 * const requests = tail('/var/log/requests.ndjson', { schema: schema({ time: timestamp(), path: utf8(), status: int32() }) })
 * const failures = requests.filter(t => t.status.gte(500))
 * ```
 * @throws MillraceError `MR_INVALID_OPTION`, in browsers too; the terminal `MR_SOURCE_FAILED` for a file that cannot be read
 */
export function tail<const S extends SchemaShape>(path: string, options: TailOptions<S>): Flow<S> {
  const name = 'tail'
  optionsOf(name, options, '{ schema }', [...MESSAGE_OPTIONS, 'from', 'header', 'every'])
  const { schema, format = 'ndjson', from = 'end', header = false, every = 250 } = options
  checkSchema(name, schema)
  if (tailFiles === null) throw invalid(name, 'there are no files that grow in a browser; push their lines, by channel')
  if (typeof path !== 'string' || path === '') throw invalid(name, `it follows a path, not ${show(path)}`)
  if (from !== 'start' && from !== 'end') throw invalid(name, `from is 'start' or 'end', not ${show(from)}`)
  if (typeof header !== 'boolean') throw invalid(name, `header is true or false, not ${show(header)}`)
  const settings = {
    ...messageSettings(name, { ...options, format }),
    files: tailFiles,
    path,
    from,
    hasHeader: header,
    everyMs: millisecondsOf(name, 'every', every, 1),
  }
  return flowOf(
    feedSource(
      name,
      schema,
      fullOptions(name, options, 'block'),
      byClock(settings.clock, steadyClock, clock => tailFeed({ ...settings, clock })),
    ),
  ) as Flow<S>
}
