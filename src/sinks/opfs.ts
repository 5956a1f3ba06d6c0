/** Files of the page's own: the origin private file system, which browsers and their workers have. */
import { MillraceError, quote } from '../errors.js'
import { unopened } from '../formats/unread.js'
import type { FileHandle } from './target.js'

/** @throws MillraceError `MR_INVALID_OPTION` for what is no path of a file */
export function namesOf(path: string): string[] {
  const names = path.replace(/^\//, '').split('/')
  if (names.every(name => name !== '' && name !== '.' && name !== '..')) return names
  throw new MillraceError('MR_INVALID_OPTION', `a path is such as 'exports/trades.csv', not ${quote(path)}`, {
    file: path,
  })
}

async function folderOf(names: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  const { storage } = (globalThis as { navigator?: { storage?: Partial<StorageManager> } }).navigator ?? {}
  if (storage?.getDirectory === undefined) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      'there is no origin private file system here: pages have one over https and on localhost; in Node give a path',
    )
  }
  let folder = await storage.getDirectory()
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create })
  return folder
}

/** @throws MillraceError `MR_SOURCE_FAILED` where there is no such file */
export async function readOpfs(path: string): Promise<File> {
  const names = namesOf(path)
  try {
    const folder = await folderOf(names, false)
    return await (await folder.getFileHandle(names[names.length - 1])).getFile()
  } catch (error) {
    throw unopened(path, error)
  }
}

/** How often, and after how long each time, a file that is still locked is tried to be removed. */
const REMOVALS = 40
const REMOVAL_MS = 25

/** A stream that has been aborted lets go of its file a while later. */
async function removeOnceFree(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let i = 0; i < REMOVALS; i++) {
    try {
      await folder.removeEntry(name)
      return
    } catch (error) {
      if ((error as { name?: unknown })?.name === 'NotFoundError') return
      await new Promise(resolve => setTimeout(resolve, REMOVAL_MS))
    }
  }
}

/** Files that are not there yet are written here, and moved once they are whole: a page that ends before leaves nothing under their names. */
const UNFINISHED = 'millrace-unfinished'
/** What has been whole for so long is not about to be moved. */
const ABANDONED_MS = 60_000

type Entries = { entries(): AsyncIterable<[string, FileSystemFileHandle]> }
type Movable = FileSystemFileHandle & { move?(folder: FileSystemDirectoryHandle, name: string): Promise<void> }

/** Removes what pages have left that have ended. What is being written is locked. */
async function sweep(folder: FileSystemDirectoryHandle): Promise<void> {
  for await (const [name, handle] of (folder as unknown as Entries).entries()) {
    // Chromium keeps what it has been given in files of its own beside them.
    if (name.includes('.')) continue
    const { lastModified } = await handle.getFile()
    if (Date.now() - lastModified > ABANDONED_MS) await folder.removeEntry(name).catch(() => {})
  }
}

/** A file to write to, and where it goes. */
export interface OpenedOpfs {
  readonly handle: FileHandle
  /** Once it is whole. */
  place(): Promise<void>
  /** Of one that was not there before. */
  remove(): Promise<void>
}

/** The file to write to, and the folders on the way, made where they are not there. */
export async function openOpfs(path: string): Promise<OpenedOpfs> {
  const names = namesOf(path)
  const name = names[names.length - 1]
  const folder = await folderOf(names, true)
  const there = await folder.getFileHandle(name).catch(error => {
    if (error?.name === 'NotFoundError') return null
    throw error
  })
  // The browser writes beside it, and puts that in its place.
  if (there !== null) return { handle: there, async place() {}, async remove() {} }
  const unfinished = await folderOf([UNFINISHED, ''], true)
  // Whoever waits for that waits for all that others have left.
  sweep(unfinished).catch(() => {})
  const part = crypto.randomUUID()
  const handle: Movable = await unfinished.getFileHandle(part, { create: true })
  if (handle.move !== undefined && 'createWritable' in handle) {
    return { handle, place: () => handle.move!(folder, name), remove: () => removeOnceFree(unfinished, part) }
  }
  await unfinished.removeEntry(part)
  return {
    handle: await folder.getFileHandle(name, { create: true }),
    async place() {},
    remove: () => removeOnceFree(folder, name),
  }
}
