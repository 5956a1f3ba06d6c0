/** For whatever keeps rows, or hands them on, without their weights. */
import { MillraceError } from '../errors.js'
import type { RecordBatch } from './record-batch.js'

/** @throws MillraceError `MR_CANNOT_RETRACT` for a batch that takes rows back */
export function checkAppended(batch: RecordBatch, what: string): RecordBatch {
  if (batch.weights === null) return batch
  throw new MillraceError(
    'MR_CANNOT_RETRACT',
    `${what} cannot take rows back, and this flow does as its groups change; have its windows close without allowedLateness, or read batches and their weights by run or subscribe`,
  )
}
