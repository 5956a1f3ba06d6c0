/** Arrow IPC as sinks write it: encoder.ts with options checked, and its many small chunks as few. A chunk loaded for the first sink that writes Arrow. */
import type { SchemaShape } from '../../columnar/type.js'
import { MillraceError, quote } from '../../errors.js'
import type { BatchEncoder } from '../batch-encoder.js'
import { createArrowEncoder } from './encoder.js'

export interface ArrowWriteOptions {
  /** `'file'` (the default) has a footer by which its batches are found; `'stream'` can be read while it is written. */
  readonly layout?: 'file' | 'stream'
}

/** @throws MillraceError `MR_INVALID_OPTION`, `MR_TYPE_MISMATCH` for a struct; batches `MR_MEMORY_LIMIT` where strings outgrow 32-bit offsets */
export function createArrowBatchEncoder(schema: SchemaShape, options: ArrowWriteOptions = {}): BatchEncoder {
  const encoder = createArrowEncoder(schema, { layout: layoutOf(options) })
  return {
    header: () => gathered(encoder.header()),
    batch: ({ vectors, rowCount }) => gathered(encoder.batch(vectors, rowCount)),
    flush: () => [],
    footer: () => gathered(encoder.footer()),
  }
}

/** A chunk of so many bytes costs less to write by itself than to copy. */
const LARGE_BYTES = 2 ** 16

/** The same bytes, neighbours that are small as one. */
function* gathered(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let from = 0
  let byteLength = 0
  const small = (to: number): Uint8Array => {
    if (to - from === 1) return chunks[from]
    const whole = new Uint8Array(byteLength)
    let at = 0
    for (let i = from; i < to; i++) {
      whole.set(chunks[i], at)
      at += chunks[i].length
    }
    return whole
  }
  for (let i = 0; i < chunks.length; i++) {
    if (chunks[i].length < LARGE_BYTES) {
      byteLength += chunks[i].length
      continue
    }
    if (byteLength > 0) yield small(i)
    yield chunks[i]
    from = i + 1
    byteLength = 0
  }
  if (byteLength > 0) yield small(chunks.length)
}

function layoutOf({ layout = 'file', ...others }: ArrowWriteOptions): 'file' | 'stream' {
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new MillraceError('MR_INVALID_OPTION', `writing Arrow: there is no option ${quote(other)}; there is layout`)
  if (layout === 'file' || layout === 'stream') return layout
  throw new MillraceError('MR_INVALID_OPTION', `writing Arrow: layout is 'file' or 'stream', not ${String(layout)}`)
}
