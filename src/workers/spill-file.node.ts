/**
 * Node.js: a temporary file that has no name. It is unlinked as soon as it is open, so that the system frees it when the lane closes it or ends, however
 * it ends: worker threads close their files on exit, and so does a process that is killed.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobFile, type SpillPlatform, spillFailed } from './spill-file.js'

function openJobFile(folder: string | null): JobFile {
  const path = join(folder ?? tmpdir(), `millrace-${process.pid}-${randomUUID()}`)
  let descriptor = -1
  let byteLength = 0

  const open = (): number => {
    const opened = openSync(path, 'wx+', 0o600)
    try {
      unlinkSync(path)
    } catch (error) {
      closeSync(opened)
      throw error
    }
    return opened
  }

  return {
    ready: async () => null,
    write(bytes) {
      const from = byteLength
      try {
        if (descriptor < 0) descriptor = open()
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, from + at)
      } catch (error) {
        throw spillFailed(`what is beyond it could not be written to ${path}`, error, {
          file: path,
          byteOffset: from,
          requestedBytes: bytes.length,
        })
      }
      byteLength += bytes.length
      return from
    },
    read(from, length) {
      const bytes = new Uint8Array(length)
      try {
        for (let at = 0; at < length; ) {
          const read = readSync(descriptor, bytes, at, length - at, from + at)
          if (read === 0) throw new Error(`the file ends after ${from + at} bytes`)
          at += read
        }
      } catch (error) {
        throw spillFailed(`what is beyond it could not be read back from ${path}`, error, {
          file: path,
          byteOffset: from,
        })
      }
      return bytes
    },
    async close() {
      if (descriptor >= 0) closeSync(descriptor)
      descriptor = -1
    },
  }
}

export const spillPlatform: SpillPlatform = { openJobFile, sweep: async () => {} }
