/**
 * The sink contract: where batches go. A sink describes, and is opened for each job, in the calling thread; what it opens, it closes or leaves nothing of.
 * Each kind of sink is a neighbour file; sink-of.ts tells what a user has given.
 */
import type { RecordBatch } from '../columnar/record-batch.js'
import type { SchemaShape } from '../columnar/type.js'
import { tagOf } from '../columnar/vector.js'
import { MillraceError } from '../errors.js'

export interface Sink {
  /**
   * Called once a job knows its columns, before its first batch.
   * @throws (rejects) where nothing can be written there; nothing is left behind then.
   */
  open(schema: SchemaShape, services: SinkServices): Promise<SinkWriter>
  /** Nothing will come, since the job failed before it was opened, or since `open` did: tells whoever waits at the other end. May reject. */
  fail?(reason: unknown): Promise<void> | void
}

/** One job's way into a sink. Calls come one after another, but for `abort`, which may come while another call is pending. */
export interface SinkWriter {
  /** Resolves when the next batch may come: that is how fast the job reads. The batch is the writer's to keep, and its buffers are not written to again. */
  write(batch: RecordBatch): Promise<void> | void
  /** All has been written: makes sure that `close` cannot fail for want of room, but shows nothing yet. Of several sinks all finish before any closes. */
  finish?(): Promise<void> | void
  /** Makes what was written visible. */
  close(): Promise<void> | void
  /** In place of `close`: leaves nothing behind. */
  abort(reason: unknown): Promise<void> | void
  /** Rejects once nothing can be written any more, though nothing is: a flow may give no batch for a long time, and would be read for nobody. */
  readonly gone?: Promise<unknown>
  /** Of sinks that make bytes, how many so far. */
  readonly bytesWritten?: number
}

/** What a sink needs of the runtime, so that it need not know which one it is. */
export interface SinkServices {
  /** Null where there are no paths. */
  readonly createFile: CreateFile | null
}

/** Begins a file that is there whole or not at all. @throws (rejects) what the runtime says, with nothing left behind */
export type CreateFile = (path: string) => Promise<WrittenFile>

export interface WrittenFile {
  /** As a writer's. */
  readonly gone?: Promise<unknown> | undefined
  /** At its end; the bytes are the caller's again once it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** Sees that all bytes are on the disk. */
  sync(): Promise<void>
  /** Puts the file in the place of what was there under its name. */
  publish(): Promise<void>
  /** Removes what was written, also after a failure. Idempotent. */
  discard(reason: unknown): Promise<void>
}

/** A file of the origin private file system, by its path. */
export interface OpfsFile {
  readonly path: string
  /** What is there now, to be read as any `File` is. @throws (rejects) MillraceError `MR_INVALID_OPTION` where there is none */
  file(): Promise<File>
}

/** By its class's name, or that of one above it: it may be of another realm, or of a library that brings its own. */
export function isOf(name: string, value: unknown): boolean {
  if (tagOf(value) === name) return true
  let at = value as { constructor?: { name?: unknown } } | null | undefined
  for (; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) if (at.constructor?.name === name) return true
  return false
}

/** Why a sink failed: `place` is what messages call it. The error itself, where it is one of ours. */
export function sinkFailed(place: string, doing: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('MR_SINK_FAILED', `${place} could not be ${doing}: ${why}`, { file: place }, cause)
}
