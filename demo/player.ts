/** One replay from the first report to the last: the held flights through `replay`, at the page's pace, into the queries. */
import { type Progress, type RecordBatch, replay } from 'millrace'
import { type Answers, DELAY_MS, MOST_ADVANCE_MS, startQueries } from './live-queries.js'
import type { Pace } from './pace.js'
import { openReports, type report } from './reports.js'

/** How far it has come: as of the last push, what the queries tell of themselves as of now. */
export interface Standing {
  readonly rowCount: number
  readonly pushed: number
  /** When the last report came, in the recording. */
  readonly reportedMs: number
  /** The latest time of a flight. */
  readonly latestMs: number
  /** Null before the first row. */
  readonly watermarkMs: number | null
  readonly lateRows: number
  readonly groups: number
}

export interface PlayerEvents extends Answers {
  onProgress(progress: Progress): void
  /** All is read: from now on `standing` may be called. */
  onOpen(standing: () => Standing): void
  /** Before a push: the watermark that it moves to. */
  onPush(watermarkMs: number): void
}

/** Resolves when all windows have closed. @throws (rejects) MillraceError; `signal.reason` where it is aborted. Lanes have ended by then, either way. */
export async function play(lanes: number, pace: Pace, signal: AbortSignal, events: PlayerEvents): Promise<void> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const reports = await openReports(lanes, either, events.onProgress)
  try {
    const queries = startQueries(reports.engine, either, events, error => failed.abort(error))
    let pushed = 0
    let reportedMs = 0
    const latest = createLatest()
    events.onOpen(() => ({
      rowCount: reports.rowCount,
      pushed,
      reportedMs,
      latestMs: latest.ms,
      watermarkMs: queries.watermarkMs,
      lateRows: queries.lateRows,
      groups: queries.groups,
    }))
    const coming = replay(reports.flow, { time: 'reported', clock: pace })
    for await (const batch of coming.run({ engine: reports.engine, signal: either })) {
      latest.see(batch)
      events.onPush(latest.ms - DELAY_MS)
      await queries.push(batch)
      pushed += batch.rowCount
      reportedMs = Number(batch.column('reported').toBigInt64Array()[batch.rowCount - 1]) / 1000
    }
    either.throwIfAborted()
    await queries.end()
  } finally {
    // Of a failure of another's: what is still under way ends too.
    failed.abort(new DOMException('ended', 'AbortError'))
    await reports.close()
  }
}

/** The latest time that moves the watermark, as the page itself sees it: what it measures latency by. */
function createLatest() {
  let ms = -Infinity
  return {
    get ms() {
      return ms
    },
    see(batch: RecordBatch<typeof report>) {
      for (const ticks of batch.column('date').toBigInt64Array()) {
        const next = Number(ticks) / 1000
        if (next > ms && (ms === -Infinity || next - ms <= MOST_ADVANCE_MS)) ms = next
      }
    },
  }
}
