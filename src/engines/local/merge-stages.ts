/** A stage of all lanes as one. */
import type { StageMetrics } from '../../workers/protocol.js'

/** Rows and bytes are summed over the lanes; time is the slowest lane's. */
export function mergeStages(lanes: readonly StageMetrics[]): StageMetrics {
  return {
    stage: lanes[0].stage,
    kernels: [...new Set(lanes.flatMap(({ kernels }) => kernels))],
    rowsIn: lanes.reduce((sum, { rowsIn }) => sum + rowsIn, 0),
    rowsOut: lanes.reduce((sum, { rowsOut }) => sum + rowsOut, 0),
    bytesIn: lanes.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    bytesOut: lanes.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    milliseconds: Math.max(...lanes.map(({ milliseconds }) => milliseconds)),
    spilled: {
      bytes: lanes.reduce((sum, { spilled }) => sum + spilled.bytes, 0),
      pieces: lanes.reduce((sum, { spilled }) => sum + spilled.pieces, 0),
      times: lanes.reduce((sum, { spilled }) => sum + spilled.times, 0),
    },
  }
}
