/** Files that cannot be opened, or be read no more: what it is the disk's fault, and what there is no such file for. */
import { MillraceError, quote } from '../errors.js'

/** Of an operating system that has the file, and does not give it. */
const DISK_FAILURES = new Set(['EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EBUSY', 'ESTALE', 'ETIMEDOUT'])

export function unopened(name: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const code = DISK_FAILURES.has(String((cause as { code?: unknown } | null)?.code))
    ? 'MR_SOURCE_FAILED'
    : 'MR_INVALID_OPTION'
  return new MillraceError(code, `cannot open ${quote(name)}: ${reason}`, { file: name }, cause)
}

export function unread(name: string, byteOffset: number, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `cannot read ${quote(name)} at byte ${byteOffset}: ${reason}`,
    { file: name, byteOffset },
    cause,
  )
}
