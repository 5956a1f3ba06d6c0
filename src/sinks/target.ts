/** Where the bytes of a file go: a path, a `WritableStream`, a file that the browser handed out, or one of the origin's own (opfs.ts). */
import { MillraceError, quote } from '../errors.js'
import { isOf, type OpfsFile, type SinkServices, sinkFailed, type WrittenFile } from './sink.js'
import { openStream } from './stream.js'

export type FileTarget = string | URL | WritableStream<Uint8Array> | FileHandle | OpfsFile

/** What is wanted of a `FileSystemFileHandle`. */
export interface FileHandle {
  readonly name: string
  createWritable(): Promise<{
    write(bytes: Uint8Array<ArrayBuffer>): Promise<void>
    close(): Promise<void>
    abort(): Promise<void>
  }>
}

/** A target that has been opened. Its errors are `MR_SINK_FAILED`, with the file's name. */
export interface OpenTarget extends WrittenFile {
  /** Whether bytes may wait to be written together: nobody reads them before the end. */
  readonly gathers: boolean
}

/** @throws MillraceError `MR_INVALID_OPTION` for what is no target, `MR_SINK_FAILED` where it cannot be opened */
export async function openTarget(target: FileTarget, services: SinkServices): Promise<OpenTarget> {
  if (typeof target === 'string' || target instanceof URL) return openPath(pathOf(target), services)
  if (isOf('WritableStream', target)) return openByteStream(target as WritableStream<Uint8Array>)
  if (
    isOf('FileSystemFileHandle', target) ||
    typeof (target as Partial<FileHandle> | null)?.createWritable === 'function'
  ) {
    const handle = target as FileHandle
    return told(handle.name, () => openHandle(handle))
  }
  if (typeof target === 'object' && target !== null && typeof (target as OpfsFile).path === 'string') {
    const { path } = target as OpfsFile
    return told(path, async () => {
      const { openOpfs } = await import('./opfs.js')
      const { handle, place, remove } = await openOpfs(path)
      return openHandle(handle, place, remove)
    })
  }
  throw new MillraceError(
    'MR_INVALID_OPTION',
    `a file is written to a path, a WritableStream, a FileSystemFileHandle or an opfsFile(...), not ${target === null ? 'null' : typeof target}`,
  )
}

function pathOf(target: string | URL): string {
  const text = String(target)
  if (!(target instanceof URL) && !/^[a-z][a-z0-9+.-]+:/i.test(text)) return text
  if (!text.startsWith('file:')) {
    throw new MillraceError('MR_INVALID_OPTION', `${quote(text)} is a URL, to which no file can be written`, {
      file: text,
    })
  }
  try {
    return decodeURIComponent(new URL(text).pathname).replace(/^\/([a-z]:)/i, '$1')
  } catch (error) {
    throw new MillraceError('MR_INVALID_OPTION', `${quote(text)} is no path`, { file: text }, error)
  }
}

function openPath(path: string, { createFile }: SinkServices): Promise<OpenTarget> {
  if (createFile === null) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `there are no file paths here to write ${quote(path)} to; give a WritableStream, a FileSystemFileHandle or opfsFile(${quote(path)}) instead`,
      { file: path },
    )
  }
  return told(path, () => createFile(path))
}

/** The file that `open` opens, its errors coded and with its name. */
async function told(name: string, open: () => Promise<WrittenFile>): Promise<OpenTarget> {
  const attempt = async <T>(doing: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      throw sinkFailed(name, doing, error)
    }
  }
  const file = await attempt('opened for writing', open)
  return {
    gathers: true,
    write: bytes => attempt('written', () => file.write(bytes)),
    sync: () => attempt('written', () => file.sync()),
    publish: () => attempt('put in its place', () => file.publish()),
    discard: reason => attempt('removed', () => file.discard(reason)),
  }
}

/** What a handle's file had stays until `close`: the browser writes beside it. @param place puts it where it goes, @param remove one that was not there before */
async function openHandle(
  handle: FileHandle,
  place = async (): Promise<void> => {},
  remove = async (): Promise<void> => {},
): Promise<WrittenFile> {
  if (typeof handle.createWritable !== 'function') {
    await remove()
    throw new MillraceError(
      'MR_SINK_FAILED',
      `${handle.name} could not be opened for writing: this browser has no createWritable; write to a WritableStream instead`,
      { file: handle.name },
    )
  }
  const stream = await handle.createWritable().catch(async error => {
    await remove()
    throw error
  })
  let isOpen = true
  return {
    write: bytes => stream.write(bytes as Uint8Array<ArrayBuffer>),
    async sync() {},
    async publish() {
      await stream.close()
      await place()
      isOpen = false
    },
    async discard() {
      if (!isOpen) return
      isOpen = false
      // One that has failed already is as good as aborted.
      await stream.abort().catch(() => {})
      await remove()
    },
  }
}

function openByteStream(stream: WritableStream<Uint8Array>): OpenTarget {
  const writer = openStream(stream, 'the WritableStream')
  return {
    gone: writer.gone,
    gathers: false,
    // The stream may keep what it is given.
    write: bytes => writer.write(bytes.slice()),
    async sync() {},
    publish: () => writer.close(),
    discard: reason => writer.abort(reason),
  }
}
