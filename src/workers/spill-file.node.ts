/**
 * Node.js: a temporary file that has no name. It is unlinked as soon as it is open, so that the system frees it when the lane closes it or ends, however
 * it ends: worker threads close their files on exit, and so does a process that is killed.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSpillFile, type JobFile, type SpillPlatform } from './spill-file.js'

function openJobFile(folder: string | null): JobFile {
  const path = join(folder ?? tmpdir(), `millrace-${process.pid}-${randomUUID()}`)
  let descriptor = -1

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

  const access = {
    write(bytes: Uint8Array, at: number) {
      if (descriptor < 0) descriptor = open()
      return writeSync(descriptor, bytes, 0, bytes.length, at)
    },
    read: (target: Uint8Array, at: number) => readSync(descriptor, target, 0, target.length, at),
  }

  return {
    ...createSpillFile(access, path, { file: path }),
    ready: async () => null,
    async close() {
      if (descriptor >= 0) closeSync(descriptor)
      descriptor = -1
    },
  }
}

export const spillPlatform: SpillPlatform = { openJobFile, sweep: async () => {} }
