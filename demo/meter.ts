/** What this tab measures of itself: bytes downloaded, and long tasks of the main thread. Speeds are measured where the work is asked for. */

/** Bytes as they came over the network, headers not counted; the same where the browser had them in its cache. */
export interface Downloads {
  /** The library: its code, with the worker and the kernels inside. */
  readonly core: number
  /** The Parquet reader, a chunk that is loaded when a file is first opened. */
  readonly reader: number
  /** Of the file, by this thread: all of it that is not read by the lanes. */
  readonly file: number
  /** The library came in the many unminified modules of a development server. */
  readonly isDevelopment: boolean
}

/** The folders into which vite.demo.config.ts builds the library, and those of its sources in development. */
const patterns = {
  file: /flights-3m[^/]*\.parquet$/,
  reader: /\/assets\/parquet\/|\/src\/formats\/parquet\/|virtual:millrace\/lane\/parquet|hyparquet/,
  core: /\/assets\/millrace\/|\/src\/|virtual:millrace\/|comlink/,
}

/**
 * All code that was fetched so far, and what of the file since `sinceMs` on the page's clock. A worker's own requests are not among it.
 */
export function measureDownloads(sinceMs: number): Downloads {
  let [core, reader, file] = [0, 0, 0]
  let isDevelopment = false
  for (const { name, startTime, encodedBodySize } of performance.getEntriesByType(
    'resource',
  ) as PerformanceResourceTiming[]) {
    const path = new URL(name).pathname
    if (patterns.file.test(path)) file += startTime < sinceMs ? 0 : encodedBodySize
    else if (patterns.reader.test(path)) reader += encodedBodySize
    else if (patterns.core.test(path)) core += encodedBodySize
    isDevelopment ||= path.endsWith('/src/index.ts')
  }
  return { core, reader, file, isDevelopment }
}

export interface LongTasks {
  /** The longest since `reset`, in milliseconds; 0 where none took 50 ms or more, and null where the browser does not tell. */
  readonly worstMs: number | null
  reset(): void
}

/** @param onChange told when the worst gets worse. */
export function watchLongTasks(onChange: () => void): LongTasks {
  const isKnown = PerformanceObserver.supportedEntryTypes.includes('longtask')
  let since = performance.now()
  let worstMs = 0
  if (isKnown) {
    new PerformanceObserver(list => {
      for (const { startTime, duration } of list.getEntries()) {
        if (startTime < since || duration <= worstMs) continue
        worstMs = duration
        onChange()
      }
    }).observe({ type: 'longtask' })
  }
  return {
    get worstMs() {
      return isKnown ? worstMs : null
    },
    reset() {
      since = performance.now()
      worstMs = 0
    },
  }
}
