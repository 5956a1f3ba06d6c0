/** Files of each format as sinks. A chunk that the functions of api/sinks.ts load; the encoders are chunks of their own. */
import type { ArrowWriteOptions } from '../formats/arrow/write.js'
import type { CsvWriteOptions } from '../formats/csv/write.js'
import type { JsonWriteOptions } from '../formats/json/write.js'
import { encodedSink } from './encoded.js'
import type { Sink } from './sink.js'
import type { FileTarget } from './target.js'

export const csvFile = (target: FileTarget, options?: CsvWriteOptions): Sink =>
  encodedSink(target, async schema => (await import('../formats/csv/write.js')).createCsvEncoder(schema, options))

export const jsonFile = (target: FileTarget, layout: 'lines' | 'array', options?: JsonWriteOptions): Sink =>
  encodedSink(target, async schema =>
    (await import('../formats/json/write.js')).createJsonEncoder(schema, options, layout),
  )

export const arrowFile = (target: FileTarget, options?: ArrowWriteOptions): Sink =>
  encodedSink(target, async schema =>
    (await import('../formats/arrow/write.js')).createArrowBatchEncoder(schema, options),
  )
