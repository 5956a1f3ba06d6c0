/** A table as the bytes of an Arrow stream. */
import type { Table } from '../../columnar/table.js'
import { MillraceError } from '../../errors.js'
import { createArrowEncoder } from './encoder.js'

/**
 * The bytes, or what `read` makes of them.
 * @throws MillraceError `MR_TYPE_MISMATCH`, `MR_MEMORY_LIMIT`
 */
export function tableToArrow(table: Table, read: unknown = (bytes: Uint8Array) => bytes): unknown {
  if (typeof read === 'function') return read(bytesOf(table))
  const message = 'toArrow takes a function of bytes, such as tableFromIPC'
  throw new MillraceError('MR_TYPE_MISMATCH', message, { operator: 'toArrow' })
}

function bytesOf({ schema, batches }: Table): Uint8Array<ArrayBuffer> {
  const encoder = createArrowEncoder(schema, { layout: 'stream' })
  const chunks = encoder.header()
  for (const { vectors, rowCount } of batches) chunks.push(...encoder.batch(vectors, rowCount))
  chunks.push(...encoder.footer())
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let end = 0
  for (const chunk of chunks) {
    bytes.set(chunk, end)
    end += chunk.length
  }
  return bytes
}
