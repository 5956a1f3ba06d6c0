/** The files that a pattern matches: a chunk of its own, with what it takes of tinyglobby. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { glob } from 'tinyglobby'
import { MillraceError, quote } from '../errors.js'

/**
 * Absolute paths, in the order of their UTF-16 units, so that what rows come first depends on no locale. `*` and `?` stay in a folder, `**` goes through
 * folders, `{a,b}` and `[a-c]` are alternatives; files that begin with a point are matched where the pattern says so.
 *
 * @throws MillraceError `MR_SOURCE_FAILED` where there are none.
 */
export async function matchFiles(path: string): Promise<string[]> {
  const pattern = process.platform === 'win32' ? path.replaceAll('\\', '/') : path
  // Names such as `Program Files (x86)` are no groups, and a `!` in front is no negation: these are taken as they are, unless they are escaped already.
  const plain = pattern.replace(/\\.|[()|]|(?<![^/])!/gs, found => (found.length === 1 ? `\\${found}` : found))
  const files = await glob(plain, { absolute: true, expandDirectories: false })
  if (files.length > 0) return files.sort()
  const [, folder, rest] = /^((?:[^*?[{]*\/)?)(.*)$/s.exec(pattern) as unknown as [string, string, string]
  const place = resolve(folder)
  const isThere = (await stat(place).catch(() => null))?.isDirectory() === true
  throw new MillraceError(
    'MR_SOURCE_FAILED',
    isThere
      ? `no file in ${quote(place)} matches ${quote(rest)}`
      : `there is no folder ${quote(place)} in which to look for ${quote(rest)}`,
    { file: path },
  )
}
