import type { InputDescriptor, OpenFile } from './byte-source.js'
export interface StreamOptions {
  readonly compression?: 'gzip' | 'deflate' | 'none' | 'auto'
  readonly encoding?: string
  readonly maximumExpansion?: number
  readonly fatal?: boolean
  readonly signal?: AbortSignal
}
export function openByteStream(_i: InputDescriptor, _o: OpenFile | null, _s: StreamOptions): AsyncIterable<Uint8Array> {
  throw new Error('later')
}
export function sniffEncoding(_b: Uint8Array): string {
  return 'utf-8'
}
