// Millrace in Node: finds the build; millrace-reader.js has what is asked of it.

import { readFile } from 'node:fs/promises'
import { millraceEntry } from '../../millrace-entry.js'
import { timedRead } from '../timed-read.js'
import { openMillraceReader } from './millrace-reader.js'

/**
 * @param {{ lanes: number, way: 'load' | 'collect', isBlob?: boolean }} options
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader(options) {
  const url = millraceEntry()
  if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
  const { read, close } = await openMillraceReader(await import(url), options)
  return {
    version: 'this build',
    read: ({ path, format }) => read(path, format),
    // As a page is given its file: the blob is there before the time begins.
    ...(options.isBlob
      ? {
          async elsewhere(file) {
            const blob = new Blob([await readFile(file.path)])
            return timedRead({ read: ({ format }) => read(blob, format) }, file, true)
          },
        }
      : {}),
    close,
  }
}
