/** Errors of files: made where the fault is seen, completed with format, file, part and column where those are known. */
import { MillraceError, quote } from '../errors.js'

/** A fault in the file's bytes. @param byteOffset in the file, where it is known. */
export function corrupt(what: string, byteOffset?: number, cause?: unknown): MillraceError {
  return new MillraceError('MR_FORMAT_ERROR', what, byteOffset === undefined ? {} : { byteOffset }, cause)
}

/** What this reader does not read, though the file may be sound. `what` says what to do instead. */
export function unsupported(what: string): MillraceError {
  return new MillraceError('MR_FORMAT_ERROR', what, { unsupported: true })
}

export interface Place {
  readonly file: string
  readonly rowGroup?: number
  readonly batch?: number
  readonly column?: string
  /** Where the fault's own offset is not known. */
  readonly byteOffset?: number
}

/**
 * The error with its place in details and message.
 * A RangeError is a length or an offset that no check foresaw: it too comes from the file. Anything else (an abort, a network failure, a
 * mistake of ours) stays as it is, and so does what has a place already.
 * @param firstRow in the file, of the rows that `details.row` counts from.
 */
export function locatedIn(format: string, error: unknown, place: Place, firstRow = 0): unknown {
  if (error instanceof RangeError) return locatedIn(format, corrupt(error.message, undefined, error), place)
  if (!(error instanceof MillraceError) || error.details.file !== undefined) return error
  const { row } = error.details
  const details = { ...place, ...error.details, ...(row === undefined ? {} : { row: firstRow + row }) }
  const where = [
    `${format} ${quote(place.file)}`,
    details.rowGroup === undefined ? '' : `row group ${details.rowGroup}`,
    details.batch === undefined ? '' : `batch ${details.batch}`,
    details.column === undefined ? '' : `column ${quote(details.column)}`,
    details.row === undefined ? '' : `row ${details.row}`,
    details.byteOffset === undefined ? '' : `at byte ${details.byteOffset}`,
  ].filter(part => part !== '')
  const isDamage = error.code === 'MR_FORMAT_ERROR' && error.details.unsupported !== true
  const advice = isDamage ? '; the file is damaged or was cut short: fetch or write it again' : ''
  const message = `${where.join(', ')}: ${error.message.slice(error.code.length + 2)}${advice}`
  return new MillraceError(error.code, message, details, error.cause)
}
