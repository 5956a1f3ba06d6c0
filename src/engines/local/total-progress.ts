/** The progress of several jobs as one: `collectAll` and `runAll`. */
import type { Progress } from './job-request.js'

/** Makes reporters whose sum is told; of jobs over rows that are held already nothing need be. */
export function totalOf(onProgress: (progress: Progress) => void): () => (progress: Progress) => void {
  const latest: Progress[] = []
  return () => {
    const job = latest.length
    latest.push({ rows: 0, totalRows: 0, bytes: 0, totalBytes: 0 })
    return progress => {
      latest[job] = progress
      const sum = (of: keyof Progress) => latest.reduce((total, each) => total + (each[of] ?? 0), 0)
      const illFormed = sum('illFormed')
      return onProgress({
        rows: sum('rows'),
        totalRows: sum('totalRows'),
        bytes: sum('bytes'),
        totalBytes: sum('totalBytes'),
        ...(illFormed > 0 && { illFormed }),
      })
    }
  }
}
