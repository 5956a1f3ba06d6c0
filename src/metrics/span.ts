/** Spans of work for developer tools and observers: `performance.measure`. */

/** One that has ended, by `performance.now()`. Nothing of it is kept: a recording and observers of `measure` have it, and a job may run for weeks. */
export function span(name: string, start: number, end: number): void {
  const label = `millrace: ${name}`
  performance.measure(label, { start, end })
  performance.clearMeasures(label)
}
