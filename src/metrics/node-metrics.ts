/** What is told of the parts of a job: `job.metrics()`. Who counts it is workers/meter.ts in lanes, engines/local/live-meter.ts in the calling thread. */

/** Of a node of a job: a source, a stage or the output. */
export interface NodeMetrics {
  /** As `explain({ analyze: true })` calls it: `channel`, `filter`, `aggregate by key`; what comes out: `output`. */
  readonly name: string
  /** Where it works: a source in the calling thread, a stage in the lanes, a stage of a flow that runs on in the calling thread, or what hands over what comes out. */
  readonly place: 'source' | 'lanes' | 'steps' | 'output'
  /** But those that came too late for it: with these, what the node before has given. */
  readonly rowsIn: number
  readonly rowsOut: number
  /** Of the columns that it was given, as they lie in memory: of strings their codes, of lists their offsets. 0 where that is not counted (sources and output). */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Milliseconds that it worked, of all lanes together, by the computer's clock. */
  readonly busyMs: number
  /** That as a share of the time that the job has run, by its lanes: 0 to 1. */
  readonly busyShare: number
  /** How many it works in at a time: lanes, or 1 in the calling thread. */
  readonly parallelism: number
  /** Rows that wait to go in; null where none can. */
  readonly queuedRows: number | null
  /** Rows that came too late for it; 0 where none can. */
  readonly lateRows: number
  /** Rows that were left out since there was no room (`whenFull`). */
  readonly droppedRows: number
  /** Groups, cells of windows and sessions that it keeps; 0 where it keeps nothing. */
  readonly groups: number
  /** Bytes that it keeps for them, in pages of WebAssembly memory, their strings too where it has their dictionary. */
  readonly stateBytes: number
}

/** How long rows took from when they were pushed until what they gave was handed over, in milliseconds; counted by row that was handed over, from the oldest row of the batch that had it come out. */
export interface LatencyMetrics {
  /** Rows. */
  readonly count: number
  /** Quantiles, at most a sixteenth too large. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly mean: number
}

/** What a lane has done. */
export interface LaneUse {
  /** Milliseconds in its stages. */
  readonly busyMs: number
  /** That as a share of the time that the job has run: 0 to 1. */
  readonly busyShare: number
  /** Rows that it has read. */
  readonly rows: number
}

/** What a source tells of the rows that wait in it. */
export interface FeedCounts {
  readonly label: string
  /** Rows that came, those that wait or were dropped too. */
  readonly rows: number
  readonly waiting: number
  readonly dropped: number
}
