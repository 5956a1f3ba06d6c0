/** A table as the bytes of an Arrow stream. */
import type { Table } from '../../columnar/table.js'
import { createArrowEncoder } from './encoder.js'

/** @throws MillraceError `MR_TYPE_MISMATCH`, `MR_MEMORY_LIMIT` */
export function tableToArrow({ schema, batches }: Table): Uint8Array<ArrayBuffer> {
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
