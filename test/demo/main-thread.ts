// What a trace of Chromium says of the main thread of a page.

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds. */
  readonly ts: number
  readonly dur?: number
  /** Time of the processor in it. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/**
 * The longest task after the first mark of this name on the page's timeline, in milliseconds of processor time: on a machine that does
 * other things besides, the time by the clock would tell of them.
 *
 * @param trace as `stopTracing` gives it, of the categories toplevel, blink.user_timing and __metadata
 */
export function longestTaskMs(trace: Buffer, mark: string): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] }
  const start = traceEvents.find(({ name }) => name === mark)
  if (start === undefined) throw new Error(`the trace has no mark ${mark}`)
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid, ts }) =>
      name === 'ThreadControllerImpl::RunTask' && ph === 'X' && pid === start.pid && tid === start.tid && ts > start.ts,
  )
  if (tasks.length < 10) throw new Error(`the trace has ${tasks.length} tasks of the main thread`)
  return Math.max(...tasks.map(({ dur = 0, tdur = dur }) => tdur)) / 1000
}
