import { RowFailure } from '../operators/operator.js'

/** What fails of rows that did not enter the pipeline, but came of others: which they were is not known, and not told. */
export function withoutRow<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw error instanceof RowFailure ? error.error : error
  }
}
