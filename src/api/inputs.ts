/** What verbs that read files are given, checked. formats/input.ts says what becomes of it. */
import type { Input } from '../formats/input.js'
import { invalid, show } from './refusal.js'

/** The `FileList` that a page's `<input type="file" multiple>` has, or a drop. */
export interface Files extends ArrayLike<Blob> {
  item(index: number): Blob | null
}

/** An input of `csv`, `ndjson`, `json`, `parquet` and `arrow`, or several, read one after another. */
export type Inputs = Input | readonly Input[] | Files

const isFiles = (given: unknown): given is Files => Object.prototype.toString.call(given) === '[object FileList]'

/** @throws MillraceError `MR_INVALID_OPTION` */
export function inputsOf(verb: string, given: Inputs): readonly Input[] {
  const inputs = Array.isArray(given) ? (given as readonly Input[]) : isFiles(given) ? Array.from(given) : [given]
  if (inputs.length === 0)
    throw invalid(verb, 'there is nothing to read: an array of inputs, or of files, has at least one')
  for (const each of inputs) {
    if ((typeof each !== 'object' && typeof each !== 'string') || each === null) {
      throw invalid(
        verb,
        `an input is a path, a URL, a File or Blob, a Response, a ReadableStream, bytes or { text }, not ${show(each)}`,
      )
    }
  }
  return inputs as readonly Input[]
}
