/** The flights as they are reported, which is when they leave: held in the lanes, and asked for some days at a time, so that no sort is long and the first come at once. */
import {
  createEngine,
  type Engine,
  int64,
  type Loaded,
  max,
  min,
  type Progress,
  parquet,
  type RecordBatch,
  schema,
  stream,
  timestamp,
  utf8,
} from 'millrace'
import flightsUrl from '../node_modules/vega-datasets/data/flights-3m.parquet?url'

const flight = schema({ date: timestamp('us'), delay: int64(), origin: utf8() })

/** A flight with the time of its report: its own, and the delay. */
export const report = schema({ date: timestamp('us'), delay: int64(), origin: utf8(), reported: timestamp('us') })

export interface OpenReports {
  readonly engine: Engine
  readonly rowCount: number
  /** By the time of the report; can be read once. */
  readonly flow: ReturnType<typeof stream<typeof report>>
  /** Lets go of the rows and ends the lanes. */
  close(): Promise<void>
}

const DAY_MS = 86_400_000
const PIECE_MS = 2 * DAY_MS
/** No flight is reported so long before its time, or after. */
const MOST_OFF_MS = 2 * DAY_MS

/** @throws (rejects) MillraceError; `signal.reason` where it is aborted, with nothing left open. */
export async function openReports(
  lanes: number,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<OpenReports> {
  const engine = await createEngine({ lanes })
  try {
    signal.throwIfAborted()
    const url = new URL(flightsUrl, document.baseURI)
    const flights = await parquet(url, { schema: flight }).load({ engine, signal, onProgress })
    return {
      engine,
      rowCount: flights.rowCount,
      flow: stream(inOrder(flights, signal), { schema: report }),
      async close() {
        await flights.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function* inOrder(
  flights: Loaded<typeof flight>,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch<typeof report>> {
  const ends = await flights.aggregate(t => ({ first: min(t.date), last: max(t.date) })).collect({ signal })
  const { first, last } = ends.at(0) as { first: Date | null; last: Date | null }
  if (first === null || last === null) return
  const end = Number(last) + MOST_OFF_MS
  const left = new AbortController()
  const either = AbortSignal.any([signal, left.signal])
  const pieceFrom = (from: number) => {
    const piece = between(flights, from, from + PIECE_MS).collect({ signal: either })
    // It is asked for ahead, and may never be looked at.
    piece.catch(() => {})
    return piece
  }
  let from = Number(first) - MOST_OFF_MS
  let next = pieceFrom(from)
  try {
    for (; from <= end; from += PIECE_MS) {
      const piece = await next
      next = pieceFrom(from + PIECE_MS)
      yield* piece.batches as readonly RecordBatch<typeof report>[]
    }
  } finally {
    left.abort()
  }
}

/** Those reported from one time to before another, in that order. */
const between = (flights: Loaded<typeof flight>, from: number, to: number) =>
  flights
    .filter(t => t.date.between(new Date(from - MOST_OFF_MS), new Date(to + MOST_OFF_MS)))
    .dropNulls('date', 'delay')
    .derive(t => ({ reported: t.date.epoch('us').add(t.delay.mul(60_000_000)).cast(timestamp('us')) }))
    .filter(t => t.reported.gte(new Date(from)).and(t.reported.lt(new Date(to))))
    .orderBy('reported')
