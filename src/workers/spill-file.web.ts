/**
 * Browsers: a file of the origin's private file system, by a sync access handle, which only dedicated workers have. It has the name of a Web Lock that
 * its lane holds for as long as it uses it: whoever finds a file whose lock nobody holds removes it, so that what a lane or a page that died has left
 * goes with the next pool that ends, or with the next job that spills.
 */
import { LATE, within } from '../formats/within.js'
import { createSpillFile, type JobFile, type SpillPlatform } from './spill-file.js'

const FOLDER = 'millrace-spill'
/** How long a file may take to open, and to be removed: its disk may be busy, but no job waits for ever. */
const PATIENCE_MS = 20_000

interface SyncAccessHandle {
  read(buffer: Uint8Array, options: { at: number }): number
  write(buffer: Uint8Array, options: { at: number }): number
  close(): void
}
interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>
}

/** Not where the page is insecure, nor everywhere at the edge. */
const hasFiles = (): boolean => {
  const { storage, locks } = (globalThis as { navigator?: Partial<Navigator> }).navigator ?? {}
  return storage?.getDirectory !== undefined && locks !== undefined
}

const folderOf = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true })

/** Files that are being opened: of one that the worker cannot reach, and so is collected, Chromium never says whether it is open. */
const opening = new Set<FileSystemFileHandle>()

/** A file that is being opened, with the lock of its name. */
function beginFile() {
  const name = crypto.randomUUID()
  let handle: SyncAccessHandle | null = null
  let letGo = () => {}

  /** Takes a lock that nobody else knows of yet, and holds it. */
  const hold = () =>
    new Promise<void>((resolve, reject) => {
      navigator.locks
        .request(lockOf(name), () => {
          resolve()
          return new Promise<void>(done => {
            letGo = done
          })
        })
        .catch(reject)
    })

  const open = async (): Promise<void> => {
    const folder = await folderOf()
    // Whoever waits for that waits for all that others have left.
    sweepFolder(folder).catch(() => {})
    await hold()
    const file = (await folder.getFileHandle(name, { create: true })) as SyncFileHandle
    opening.add(file)
    try {
      handle = await file.createSyncAccessHandle()
    } finally {
      opening.delete(file)
    }
  }

  const close = async () => {
    handle?.close()
    handle = null
    try {
      await within(
        folderOf().then(folder => folder.removeEntry(name)),
        PATIENCE_MS,
      )
    } catch {
      // It was never made, or somebody else removes it.
    }
    letGo()
  }

  const opened = open()
  return {
    opened,
    get handle() {
      return handle
    },
    async close() {
      if (handle !== null) await close()
      // What is opened yet has nobody to write to it.
      else opened.then(close, close)
    },
  }
}

function openJobFile(): JobFile {
  let file: ReturnType<typeof beginFile> | null = null
  const handleOf = () => file?.handle as SyncAccessHandle
  const access = {
    write: (bytes: Uint8Array, at: number) => handleOf().write(bytes, { at }),
    read: (target: Uint8Array, at: number) => handleOf().read(target, { at }),
  }

  return {
    ...createSpillFile(access, "the page's private file system"),
    async ready() {
      if (!hasFiles()) return 'this page has no private file system'
      if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) {
        return 'files can be written in workers only, and this job runs in its page; give it lanes'
      }
      file = beginFile()
      let reason = 'it does not answer'
      try {
        if ((await within(file.opened, PATIENCE_MS)) !== LATE) return null
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
      }
      await file.close()
      return `the private file system cannot be used: ${reason}`
    },
    async close() {
      await file?.close()
    },
  }
}

const lockOf = (name: string): string => `${FOLDER}-${name}`

/** Removes the files that nobody holds. */
async function sweepFolder(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = []
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name)
  for (const name of names) {
    await navigator.locks.request(lockOf(name), { ifAvailable: true }, async lock => {
      if (lock !== null) await folder.removeEntry(name).catch(() => {})
    })
  }
}

export const spillPlatform: SpillPlatform = {
  openJobFile,
  async sweep() {
    if (!hasFiles()) return
    // A worker that has been ended lets go of its locks within some milliseconds; one that is in a long step is given two seconds to end it.
    for (const ms of [20, 200, 1000, 3000]) {
      await new Promise(resolve => setTimeout(resolve, ms))
      await folderOf().then(sweepFolder, () => {})
    }
  },
}
