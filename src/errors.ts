/**
 * The one error class of Millrace, its stable codes, and how it crosses a worker boundary.
 * What is wrong, where it is and what to try is said by whoever throws; nothing here knows about columns or lanes.
 */

/** Stable, documented codes. A code never changes its meaning between versions. */
export type ErrorCode =
  | 'MR_UNKNOWN_COLUMN'
  | 'MR_DUPLICATE_COLUMN'
  | 'MR_COLUMN_LENGTH'
  | 'MR_TYPE_MISMATCH'
  | 'MR_INVALID_OPTION'
  | 'MR_INVALID_CODE'
  | 'MR_INTEGER_OVERFLOW'
  | 'MR_UNSAFE_INTEGER'
  | 'MR_INEXACT_VALUE'
  | 'MR_SOURCE_CONSUMED'
  | 'MR_SOURCE_FAILED'
  | 'MR_NO_EVENT_TIME'
  | 'MR_UNBOUNDED'
  | 'MR_CANNOT_RETRACT'
  | 'MR_LANE_FAILED'
  | 'MR_MEMORY_LIMIT'
  | 'MR_CLOSED'
  | 'MR_CHANNEL_FULL'
  | 'MR_FORMAT_ERROR'
  | 'MR_SINK_FAILED'
  | 'MR_USER_CODE_FAILED'
  | 'MR_PRIVACY_BUDGET'
  | 'MR_VERSION_MISMATCH'
  | 'MR_WASM_BLOCKED'

/** Where an error arose. Every field is optional; only structured-cloneable values. */
export interface ErrorDetails {
  readonly operator?: string
  readonly column?: string
  /** Zero-based row in its source. */
  readonly row?: number
  readonly byteOffset?: number
  readonly file?: string
  /** Names that exist and are close to the one asked for. */
  readonly suggestion?: string
  readonly [key: string]: unknown
}

export interface SerialisedError {
  readonly name: string
  readonly message: string
  readonly code?: ErrorCode
  readonly details?: ErrorDetails
  readonly stack?: string
  readonly cause?: SerialisedError
}

/** The only error Millrace throws of itself. `message` begins with the code, so that a log line alone can be searched for. */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(`${code}: ${message}`, cause === undefined ? undefined : { cause })
    this.name = 'MillraceError'
    this.code = code
    this.details = details
  }
}

/** A plain form of any error for `postMessage`, which would drop the class, the code and the details. */
export function serialiseError(error: unknown): SerialisedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  return {
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error instanceof MillraceError ? { code: error.code, details: error.details } : {}),
    ...(error.cause === undefined ? {} : { cause: serialiseError(error.cause) }),
  }
}

/** The inverse of `serialiseError`: a `MillraceError` where there is a code, otherwise an `Error` of the same name. */
export function deserialiseError(plain: SerialisedError): Error {
  const cause = plain.cause === undefined ? undefined : deserialiseError(plain.cause)
  const error =
    plain.code === undefined
      ? new Error(plain.message, cause === undefined ? undefined : { cause })
      : new MillraceError(plain.code, plain.message.slice(plain.code.length + 2), plain.details, cause)
  error.name = plain.name
  if (plain.stack !== undefined) error.stack = plain.stack
  return error
}

/** `name` in quotes, shortened in the middle: a message must stay readable when a column's name is a megabyte long. */
export function quote(name: string): string {
  return JSON.stringify(name.length <= 80 ? name : `${name.slice(0, 50)}…${name.slice(-20)}`)
}

/**
 * The candidate nearest to `name` by edit distance (Damerau's, adjacent transpositions counted once), or `undefined`
 * where none is near: within a third of the longer length, at least one edit. Case differences alone count as near.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of candidates) {
    if (candidate.toLowerCase() === name.toLowerCase()) return candidate
    const longer = Math.max(candidate.length, name.length)
    if (longer > 100) continue
    const distance = editDistance(name, candidate)
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(longer / 3))) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(substitution, (last[j] as number) + 1, (row[j - 1] as number) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] as number) + 1)
      }
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] as number
}

/** The error for a name that is not among `names`, with the nearest one suggested. */
export function unknownColumn(
  given: string,
  names: readonly string[],
  operator: string,
  place = operator,
): MillraceError {
  // Of what no compiler has seen it may be anything.
  const name = String(given)
  const suggestion = nearestName(name, names)
  const known =
    names.length === 0
      ? 'there are no columns'
      : `columns are ${names.slice(0, 12).map(quote).join(', ')}${names.length > 12 ? `, and ${names.length - 12} more` : ''}`
  const hint = suggestion === undefined ? known : `did you mean ${quote(suggestion)}?`
  return new MillraceError('MR_UNKNOWN_COLUMN', `${place}: there is no column ${quote(name)}; ${hint}`, {
    operator,
    column: name,
    ...(suggestion === undefined ? {} : { suggestion }),
  })
}
