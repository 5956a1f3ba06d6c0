/**
 * Node.js: files that are there whole or not at all. What is written goes to a file of another name in the same folder, which takes the name of the target
 * once all of it is on the disk; whoever reads the target meanwhile sees what was there before. A chunk of its own, for jobs that write.
 */
import { randomBytes } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { CreateFile, WrittenFile } from '../sinks/sink.js'

/** Targets that are being written: two jobs at one file would leave one job's rows, and say nothing of the other's. */
const busy = new Set<string>()
/** Temporary files of this thread. A process that ends in the middle removes them on its way out. */
const temporaries = new Set<string>()

function removeAll(): void {
  for (const path of temporaries) {
    try {
      unlinkSync(path)
    } catch {}
  }
}

export const createFile: CreateFile = async path => {
  const target = await placeOf(path)
  const found = await stat(target).catch(() => null)
  if (found?.isDirectory()) throw new Error('it is a folder')
  if (busy.has(target)) throw new Error('another job is writing it')
  busy.add(target)
  try {
    // A pipe or a device has no whole to wait for, and must not be replaced.
    return found !== null && !found.isFile() ? await openInPlace(target) : await openBeside(target, found?.mode)
  } catch (error) {
    busy.delete(target)
    throw error
  }
}

/** Where a path leads. Links are followed, also to what is not there yet, so that none is itself replaced. */
async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const place = join(await realpath(dirname(path)), basename(path))
  // What there is and has no path, such as the pipe behind /dev/stdout, is opened by its link.
  const link = await stat(place).then(
    () => null,
    () => readlink(place).catch(() => null),
  )
  return link === null ? place : placeOf(resolve(dirname(place), link))
}

async function openBeside(target: string, mode: number | undefined): Promise<WrittenFile> {
  const temporary = join(dirname(target), `.millrace-${randomBytes(8).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx', mode === undefined ? undefined : mode & 0o777)
  if (temporaries.size === 0) process.on('exit', removeAll)
  temporaries.add(temporary)
  const forget = () => {
    busy.delete(target)
    if (temporaries.delete(temporary) && temporaries.size === 0) process.off('exit', removeAll)
  }
  const close = once(() => file.close())
  const discard = once(async () => {
    await close().catch(() => {})
    await rm(temporary, { force: true })
    forget()
  })
  try {
    // What the umask took away.
    if (mode !== undefined) await file.chmod(mode & 0o777)
  } catch (error) {
    await discard()
    throw error
  }
  let isPublished = false
  return {
    write: bytes => writeAll(file, bytes),
    async sync() {
      await file.sync()
      await close()
    },
    async publish() {
      await rename(temporary, target)
      isPublished = true
      forget()
      await syncFolder(dirname(target))
    },
    async discard() {
      if (!isPublished) await discard()
    },
  }
}

async function openInPlace(target: string): Promise<WrittenFile> {
  const file = await open(target, 'w')
  const close = once(async () => {
    busy.delete(target)
    await file.close()
  })
  return { write: bytes => writeAll(file, bytes), async sync() {}, publish: close, discard: close }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
}

/** So that the new name is on the disk too. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and some file systems sync none: there the name is theirs to keep.
  const folder = await open(path, 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

/** `action`, run by the first call; all calls get its outcome. */
function once(action: () => Promise<void>): () => Promise<void> {
  let outcome: Promise<void> | null = null
  return () => {
    outcome ??= action()
    return outcome
  }
}
