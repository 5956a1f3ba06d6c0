/** Opens the flights: an engine with so many lanes, and the rows of the file held in them. queries.ts asks them questions. */
import { createEngine, int64, type Loaded, type Progress, parquet, schema, timestamp, utf8 } from 'millrace'
import flightsUrl from '../node_modules/vega-datasets/data/flights-3m.parquet?url'

/** The columns that the page asks about; the file has one more, `distance`, whose bytes are never fetched. */
const flight = schema({ date: timestamp('us'), delay: int64(), origin: utf8(), destination: utf8() })

export type Flights = Loaded<typeof flight>

export interface OpenFlights {
  readonly flights: Flights
  readonly lanes: number
  /** When it was begun, on the page's clock. */
  readonly beganMs: number
  /** Starting the lanes: workers, and the kernels in each. */
  readonly startMs: number
  /** Fetching, decompressing and decoding all rows. */
  readonly readMs: number
  /** Bytes of the file that were read: the compressed columns. */
  readonly readBytes: number
  /** Lets go of the rows and ends the lanes. */
  close(): Promise<void>
}

/** @throws (rejects) MillraceError; `signal.reason` where it is aborted, with nothing left open. */
export async function openFlights(
  lanes: number,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<OpenFlights> {
  const began = performance.now()
  const engine = await createEngine({ lanes })
  try {
    signal.throwIfAborted()
    const started = performance.now()
    let readBytes = 0
    const flights = await parquet(new URL(flightsUrl, document.baseURI), { schema: flight }).load({
      engine,
      signal,
      onProgress(progress) {
        readBytes = progress.bytes
        onProgress(progress)
      },
    })
    return {
      flights,
      lanes: engine.lanes,
      beganMs: began,
      startMs: started - began,
      readMs: performance.now() - started,
      readBytes,
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
