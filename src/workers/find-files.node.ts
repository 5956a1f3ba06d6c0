/** Node.js: files by a pattern of their paths. The matching is loaded with the first string that looks like a pattern. */
import { stat } from 'node:fs/promises'
import type { FindFiles } from '../formats/input.js'

export const findFiles: FindFiles | null = async path => {
  // A file may well have brackets in its name.
  if (!/[*?[{]/.test(path) || (await stat(path).catch(() => null)) !== null) return [path]
  return (await import('./match-files.node.js')).matchFiles(path)
}
