// Millrace in Node: finds the build; millrace-reader.js has what is asked of it.

import { millraceEntry } from '../../millrace-entry.js'
import { openMillraceReader } from './millrace-reader.js'

/**
 * @param {{ lanes: number, way: 'load' | 'collect' }} options
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader(options) {
  const url = millraceEntry()
  if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
  const { read, close } = await openMillraceReader(await import(url), options)
  return {
    version: 'this build',
    read: ({ path, format }) => read(path, format),
    close,
  }
}
