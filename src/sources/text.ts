/**
 * Files of text, CSV and JSON, as a source. What reads and infers is text-open.ts, which is loaded on first use; this says what there is to be read and how.
 */
import type { SchemaShape } from '../columnar/type.js'
import type { SequentialDescriptor } from '../formats/byte-source.js'
import type { Input } from '../formats/input.js'
import { labelOf } from './input-label.js'
import type { IllFormedText, RejectedRow, Source, SourceServices } from './source.js'

/** What both formats are told. */
export interface TextOptions {
  /** Null: inferred. */
  readonly schema: SchemaShape | null
  readonly encoding: string | null
  readonly compression: 'gzip' | 'deflate' | 'none' | 'auto'
  readonly maximumExpansion: number
  /** Whether ill-formed text is refused. */
  readonly fatal: boolean
  readonly sampleRows: number
  readonly onBadRow: ((row: RejectedRow) => void) | undefined
  readonly onIllFormed?: ((text: IllFormedText) => void) | undefined
  readonly onInferred: ((report: InferenceReport) => void) | undefined
  /** Bytes of a file to a split; null: by its size. */
  readonly splitBytes: number | null
}

export interface CsvOptions extends TextOptions {
  readonly format: 'csv'
  readonly delimiter: string | null
  readonly quote: string | null
  readonly comment: string | null
  readonly header: boolean | readonly string[]
  readonly nulls: readonly string[]
  readonly ragged: 'error' | 'pad'
  readonly skipRows: number
}

export interface JsonOptions extends TextOptions {
  readonly format: 'json'
  readonly path: string | null
  readonly layout: 'lines' | 'array' | 'auto'
  readonly flatten: boolean
}

export type InferenceReport = import('../formats/inference-report.js').InferenceReport

/** @param inputs read one after another; their columns are those of the first that has a row, or those declared. */
export function textSource(verb: string, inputs: readonly Input[], options: CsvOptions | JsonOptions): Source {
  const label = labelOf(verb, inputs)
  /** What was made of inputs other than paths and addresses: some can be read only once, and then are found to be read. */
  const kept = new Map<Input, readonly SequentialDescriptor[]>()
  /** Kept from `describe` to `open` of one job, so that samples are read once. */
  let described: import('./text-open.js').OpenedTexts | null = null

  const openAll = async (services: SourceServices) => {
    const { openTexts } = await import('./text-open.js')
    return openTexts({ verb, inputs, kept, options }, services)
  }
  return {
    label,
    schema: options.schema,
    rowCount: null,
    isStream: inputs.some(isReadOnce),
    async describe(services) {
      described = await openAll(services)
      return described.schema
    },
    async leave() {
      const opened = described
      described = null
      await opened?.leave()
    },
    async open(request, services) {
      const opened = described ?? (await openAll({ ...services, signal: request.signal }))
      described = null
      return opened.open(request)
    },
  }
}

/** A stream, a response or an iterable. */
const isReadOnce = (input: Input): boolean =>
  ['getReader', 'body', Symbol.asyncIterator].some(key => key in Object(input))
