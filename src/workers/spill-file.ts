/**
 * The file of one job in one lane: `#spill-file` is spill-file.node.ts or spill-file.web.ts, chosen as `#platform` is. It is written and read by
 * operators, which do not wait, so it must have been opened before, or be opened without waiting.
 */
import { MillraceError } from '../errors.js'
import type { SpillFile } from '../operators/spill.js'

export interface JobFile extends SpillFile {
  /** Resolves before the first morsel: to null, or to why nothing can be written here, as half a sentence. */
  ready(): Promise<string | null>
  /** Nothing is left of it. Idempotent. */
  close(): Promise<void>
}

/** Of `#spill-file`. */
export interface SpillPlatform {
  /** @param folder where the caller wants it; null: wherever temporary files are. */
  openJobFile(folder: string | null): JobFile
  /** Removes what lanes that have died could not. */
  sweep(): Promise<void>
}

/** How a platform gets at its file: fewer bytes may go than were given, and fewer come than there is room for. */
export interface FileAccess {
  write(bytes: Uint8Array, at: number): number
  read(target: Uint8Array, at: number): number
}

/** Where memory is short many pieces have a few kilobytes, and each call costs some microseconds, in a browser tens of them. */
const WAITING_BYTES = 65_536

/** @param to where messages say that it is written @param details of their errors */
export function createSpillFile(
  access: FileAccess,
  to: string,
  details: { readonly [key: string]: unknown } = {},
): SpillFile {
  let written = 0
  let waiting = new Uint8Array(0)
  let count = 0

  const put = (bytes: Uint8Array): void => {
    try {
      for (let at = 0; at < bytes.length; ) {
        const taken = access.write(bytes.subarray(at), written + at)
        if (taken === 0) throw new Error('no more bytes are taken')
        at += taken
      }
    } catch (error) {
      throw failed(`written to ${to}`, error, { ...details, byteOffset: written, requestedBytes: bytes.length })
    }
    written += bytes.length
  }

  const flush = (): void => {
    put(waiting.subarray(0, count))
    count = 0
  }

  return {
    write(bytes) {
      const from = written + count
      if (count + bytes.length > WAITING_BYTES) flush()
      if (bytes.length > WAITING_BYTES) put(bytes)
      else {
        if (waiting.length === 0) waiting = new Uint8Array(WAITING_BYTES)
        waiting.set(bytes, count)
        count += bytes.length
      }
      return from
    },
    read(from, byteLength) {
      if (from + byteLength > written) flush()
      const bytes = new Uint8Array(byteLength)
      try {
        for (let at = 0; at < byteLength; ) {
          const read = access.read(bytes.subarray(at), from + at)
          if (read === 0) throw new Error(`the file ends after ${from + at} bytes`)
          at += read
        }
      } catch (error) {
        throw failed(`read back from ${to}`, error, { ...details, byteOffset: from })
      }
      return bytes
    },
  }
}

/** A disk may be full, a quota used up, a folder not there. */
const failed = (what: string, cause: unknown, details: { readonly [key: string]: unknown }) =>
  new MillraceError(
    'MR_MEMORY_LIMIT',
    `the job has more than its memory budget, and what is beyond it could not be ${what}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
      'make room there, name another folder by the spill option of createEngine, or raise the memory option',
    details,
    cause,
  )
