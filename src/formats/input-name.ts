/** How an input is called in messages. */
import type { SequentialDescriptor } from './byte-source.js'

export function inputName(input: SequentialDescriptor): string {
  if (input.kind === 'path') return input.path
  if (input.kind === 'url') return input.url.length <= 200 ? input.url : `${input.url.slice(0, 200)}…`
  if (input.kind === 'stream') return input.name
  if (input.kind === 'blob') return (input.blob as Partial<File>).name ?? `a Blob of ${input.blob.size} bytes`
  return `${input.bytes.length} bytes in memory`
}
