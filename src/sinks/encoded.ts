/** Sinks that make a file of batches: an encoder of some format, and the target that its bytes go to. */
import { checkAppended } from '../columnar/appended.js'
import type { SchemaShape } from '../columnar/type.js'
import type { BatchEncoder } from '../formats/batch-encoder.js'
import { isOf, type Sink } from './sink.js'
import { type FileTarget, openTarget } from './target.js'

/** @param encoderOf refuses options and columns; called before anything is opened. */
export const encodedSink = (target: FileTarget, encoderOf: (schema: SchemaShape) => Promise<BatchEncoder>): Sink => ({
  async open(schema, services) {
    const encoder = await encoderOf(schema)
    const file = await openTarget(target, services)
    let bytesWritten = 0
    let begun = false
    const write = async (pieces: Iterable<Uint8Array>) => {
      for (const piece of pieces) {
        await file.write(piece)
        bytesWritten += piece.length
      }
    }
    const begin = async () => {
      begun = true
      await write(encoder.header())
      if (!file.gathers) await write(encoder.flush())
    }
    return {
      ...(file.gone && { gone: file.gone }),
      get bytesWritten() {
        return bytesWritten
      },
      async write(batch) {
        if (!begun) await begin()
        await write(encoder.batch(checkAppended(batch, 'a file')))
        if (!file.gathers) await write(encoder.flush())
      },
      async finish() {
        if (!begun) await begin()
        await write(encoder.footer())
        await write(encoder.flush())
        await file.sync()
      },
      close: () => file.publish(),
      abort: reason => file.discard(reason),
    }
  },
  fail: async reason => {
    if (isOf('WritableStream', target)) await (target as WritableStream).abort(reason)
  },
})
