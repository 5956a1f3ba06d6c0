// Millrace in Node: finds the build; millrace-reader.js has what is asked of it.

import { openAsBlob } from 'node:fs'
import { millraceEntry } from '../../millrace-entry.js'
import { openMillraceReader } from './millrace-reader.js'

/**
 * @param {{ lanes: number, way: 'load' | 'collect', asBlob?: boolean }} options `asBlob`: given a `Blob` that is the file, not its path
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader({ asBlob = false, ...options }) {
  const url = millraceEntry()
  if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
  const { read, close } = await openMillraceReader(await import(url), options)
  return {
    version: 'this build',
    read: async ({ path, format }) => read(asBlob ? await openAsBlob(path) : path, format),
    close,
  }
}
