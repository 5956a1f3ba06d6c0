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

/** The file to write to, made where it is not there, and the folders on the way; `remove` removes one that was made here. */
export async function openOpfs(
  path: string,
): Promise<{ readonly handle: FileHandle; readonly remove: () => Promise<void> }> {
  const names = namesOf(path)
  const name = names[names.length - 1]
  const folder = await folderOf(names, true)
  const isThere = await folder.getFileHandle(name).then(
    () => true,
    () => false,
  )
  return {
    handle: await folder.getFileHandle(name, { create: true }),
    async remove() {
      if (!isThere) await removeOnceFree(folder, name)
    },
  }
}
