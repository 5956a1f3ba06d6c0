/** Errors of Parquet files: those of fault.ts, by their format's name. */
import { locatedIn, type Place } from '../fault.js'

export { corrupt, unsupported } from '../fault.js'

/** The error with its place, see `locatedIn`. */
export const located = (error: unknown, place: Place, firstRow = 0): unknown =>
  locatedIn('parquet', error, place, firstRow)
