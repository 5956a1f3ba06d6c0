/** Lines that are added to a file, for ever: looked at every so often, through rotation and truncation. What a file is on this platform is told by workers/tail-file.*.ts. */
import type { Clock } from '../../metrics/clock.js'
import type { Listen } from './feed.js'
import { createIntake, feedFailed, type IntakeSettings } from './intake.js'
import { createLineSplitter } from './lines.js'

/** A file that is open for reading: the very file, whatever becomes of its name. */
export interface TailedFile {
  /** Which file it is, as long as it is open. */
  readonly identity: string
  /** Its length now. */
  size(): Promise<number>
  /** Bytes from `position` on, none at the end, 16 KiB or more where there are so many; good until the next call. */
  read(position: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface TailFiles {
  /** Null where there is none by that name. @throws what the file system says otherwise */
  open(path: string): Promise<TailedFile | null>
  /** Which file has that name; null: none. */
  identityOf(path: string): Promise<string | null>
}

export interface TailSettings extends IntakeSettings {
  readonly files: TailFiles
  readonly path: string
  readonly from: 'start' | 'end'
  /** The first line of each file is no row. */
  readonly hasHeader: boolean
  readonly everyMs: number
  readonly clock: Clock
}

const OPERATOR = 'tail'
const MOST_LINE_BYTES = 2 ** 26
/** No more than `TailedFile.read` gives. */
const LOOK_BACK_BYTES = 2 ** 14

/**
 * A file that has become shorter is read anew from its beginning. One whose name another file has taken is read to its end, its last line too where it has no end, and then the other from its beginning. Where there is none it is
 * waited for, and then read from its beginning.
 */
export const tailFeed =
  (settings: TailSettings): Listen =>
  queue => {
    const { path, files, clock, everyMs } = settings
    const intake = createIntake(queue, settings, OPERATOR)
    const lines = createLineSplitter(MOST_LINE_BYTES)
    let isOver = false
    let wake = () => {}
    let file: TailedFile | null = null
    let position = 0
    let isHeader = settings.hasHeader

    const sleep = (): Promise<void> =>
      new Promise(resolve => {
        const cancel = clock.setTimer(clock.now() + everyMs, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    const take = async (found: readonly string[]): Promise<void> => {
      const rows = isHeader && found.length > 0 ? found.slice(1) : found
      if (found.length > 0) isHeader = false
      const full = rows.filter(line => line.trim() !== '')
      if (full.length > 0) await intake.takeAll(full)
    }
    const begin = () => {
      position = 0
      isHeader = settings.hasHeader
      lines.clear()
    }
    const readOn = async (from: TailedFile): Promise<void> => {
      if ((await from.size()) < position) begin()
      while (!isOver) {
        const bytes = await from.read(position)
        if (bytes.length === 0) return
        position += bytes.length
        await take(lines.feed(bytes))
      }
    }

    async function watch(): Promise<void> {
      file = await files.open(path)
      if (file !== null && settings.from === 'end') {
        position = await lineEnd(file)
        isHeader &&= position === 0
      }
      while (!isOver) {
        if (file === null) {
          file = await files.open(path)
          if (file !== null) begin()
        }
        if (file !== null) {
          await readOn(file)
          const now = await files.identityOf(path)
          if (now !== null && now !== file.identity && !isOver) {
            // What was written between the last read and the change of names.
            await readOn(file)
            await take(lines.flush())
            await file.close()
            file = null
            continue
          }
        }
        if (!isOver) await sleep()
      }
    }
    watch()
      .catch(error => queue.close(error instanceof RangeError ? feedFailed(OPERATOR, path, error.message, 1) : error))
      .finally(() => file?.close())
      .catch(() => {})
    return () => {
      isOver = true
      wake()
    }
  }

/** Behind the last line that has an end; where one is being written it is still to come whole. */
async function lineEnd(file: TailedFile): Promise<number> {
  const size = await file.size()
  for (let from = size; from > 0; ) {
    from = Math.max(0, from - LOOK_BACK_BYTES)
    const last = (await file.read(from)).lastIndexOf(10, size - from - 1)
    if (last >= 0) return from + last + 1
  }
  return 0
}
