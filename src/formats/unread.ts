/** Files that cannot be opened, or be read no more. */
import { MillraceError, quote } from '../errors.js'

export function unopened(name: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  // ENOENT, EACCES and their like are the system's; ERR_... is Node's of what can be no path.
  const isSystem = !/^ERR_/.test(String((cause as { code?: unknown } | null)?.code))
  const code = isSystem ? 'MR_SOURCE_FAILED' : 'MR_INVALID_OPTION'
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
