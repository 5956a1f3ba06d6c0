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

/** A disk may be full, a quota used up, a folder not there. */
export const spillFailed = (what: string, cause: unknown, details: { readonly [key: string]: unknown }) =>
  new MillraceError(
    'MR_MEMORY_LIMIT',
    `the job has more than its memory budget, and ${what}: ${cause instanceof Error ? cause.message : String(cause)}; make room there, name another ` +
      'folder by the spill option of createEngine, or raise the memory option',
    details,
    cause,
  )
