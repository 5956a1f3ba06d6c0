/**
 * Splits of text in their order. A split may be cut anywhere, and its lane then guesses where its first row begins; that was right if the split before ended there.
 * Only rows of splits that are known to be right may leave a job, and rows are counted here, since nobody knew how many there are.
 */
import { MillraceError } from '../../errors.js'
import type { RejectedRow, Split, TextWork } from '../../sources/source.js'
import type { TextReport } from '../../workers/protocol.js'

/** A guess was wrong: the rows from `split` on are to be read again, one split after another. */
export class Misread extends MillraceError {
  constructor(readonly resume: Resume) {
    super('MR_FORMAT_ERROR', 'a part of a text file began elsewhere than was guessed; please report this with the file')
  }
}

/** Where reading goes on, and what was read before. */
export interface Resume {
  readonly split: number
  /** Byte of the input at which the split's first row begins; null: where the split says. */
  readonly at: number | null
  readonly rows: number
}

export interface TextOrder {
  /** How many splits from the first on are known to be right and have been read to their end. */
  readonly verified: number
  /** First row in the source of a split up to `verified`. */
  firstRow(split: number): number
  /** Takes what a lane found. @throws Misread; what `onBadRow` throws */
  take(split: number, report: TextReport): void
  /** Whether a split that has been read at least in part began where it should. @throws Misread where it did not */
  check(split: number): void
  /** The split's work with its beginning in the place of a guess; null where that is not known yet. */
  exact(split: number): TextWork | null
}

export function createTextOrder(
  splits: readonly Split[],
  resume: Resume,
  onBadRow: ((row: RejectedRow) => void) | undefined,
): TextOrder {
  const reports = new Map<number, TextReport>()
  const firstRows: number[] = []
  firstRows[resume.split] = resume.rows
  let verified = resume.split
  /** Where the next row of the input begins, after the last verified split of it. */
  let end = resume.at

  /** Where a split must begin by those before it; null: it says so itself. */
  const expected = (split: number): number | null => {
    const { bytes } = splits[split].work as TextWork
    return bytes.kind === 'range' && bytes.isGuess ? end : null
  }
  const check = (split: number): void => {
    const report = reports.get(split)
    if (split !== verified || report === undefined) return
    const begin = expected(split)
    if (begin !== null && report.from !== begin) {
      throw new Misread({ split, at: begin, rows: firstRows[split] })
    }
  }

  return {
    get verified() {
      return verified
    },
    firstRow: split => firstRows[split] ?? 0,
    take(split, report) {
      reports.set(split, report)
      for (let next = reports.get(verified); next !== undefined && next.to !== null; next = reports.get(verified)) {
        check(verified)
        const { name } = splits[verified].work as TextWork
        for (const row of next.bad) onBadRow?.({ ...row, row: firstRows[verified] + row.row, file: name })
        reports.delete(verified)
        end = next.to
        firstRows[verified + 1] = firstRows[verified] + next.rows
        verified++
      }
    },
    check,
    exact(split) {
      const work = splits[split].work as TextWork
      const { bytes } = work
      if (bytes.kind !== 'range' || !bytes.isGuess) return work
      return split === verified ? { ...work, from: end as number, bytes: { ...bytes, isGuess: false } } : null
    },
  }
}
