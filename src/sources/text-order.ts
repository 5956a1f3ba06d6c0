/**
 * Splits of text in their order. A split may be cut anywhere, and its lane then guesses where its first row begins; that was right if the split before ended there.
 * Only rows of splits that are known to be right may leave a job, and rows are counted here, since nobody knew how many there are.
 */
import { MillraceError } from '../errors.js'
import type { FoundText } from '../formats/text-files.js'
import type { BadRow } from '../kernels/text-rows.js'
import type { IllFormedText, RejectedRow, Resume, Split, TextOrder, TextWork } from './source.js'

/** A guess was wrong: the rows from `resume.split` on are to be read again, one split after another. */
export class Misread extends MillraceError {
  constructor(readonly resume: Resume) {
    super('MR_FORMAT_ERROR', 'a part of a text file began elsewhere than was guessed; please report this with the file')
  }
}

export function createTextOrder(
  splits: readonly Split[],
  resume: Resume,
  onBadRow: ((row: RejectedRow) => void) | undefined,
  onIllFormed?: (text: IllFormedText) => void,
): TextOrder {
  /** The last of each split. */
  const reports = new Map<number, FoundText>()
  /** Bad rows of splits that are not known to be right. */
  const untold = new Map<number, BadRow[]>()
  const firstRows: number[] = []
  firstRows[resume.split] = resume.rows
  let verified = resume.split
  /** Where the next row of the input begins, after the last verified split of it. */
  let end = resume.at
  let { illFormed } = resume

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
      throw new Misread({ split, at: begin, rows: firstRows[split], illFormed })
    }
  }

  const isRight = (split: number, { from }: FoundText): boolean => [null, from].includes(expected(split))
  const tell = (split: number): void => {
    const { name } = splits[split].work as TextWork
    for (const row of untold.get(split) ?? []) onBadRow?.({ ...row, row: firstRows[split] + row.row, file: name })
    untold.delete(split)
  }

  return {
    get verified() {
      return verified
    },
    get illFormed() {
      return illFormed
    },
    firstRow: split => firstRows[split] ?? 0,
    take(split, report) {
      reports.set(split, report)
      const bad = untold.get(split) ?? []
      for (const row of report.bad) bad.push(row)
      untold.set(split, bad)
      for (let next = reports.get(verified); next !== undefined && next.to !== null; next = reports.get(verified)) {
        check(verified)
        const { name } = splits[verified].work as TextWork
        tell(verified)
        const [fromRow, toRow] = [firstRows[verified], firstRows[verified] + next.rows]
        if (next.illFormed > 0) onIllFormed?.({ file: name, fromRow, toRow, count: next.illFormed })
        illFormed += next.illFormed
        reports.delete(verified)
        end = next.to
        firstRows[verified + 1] = toRow
        verified++
      }
      const last = reports.get(verified)
      if (last?.goesOn && isRight(verified, last)) tell(verified)
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
