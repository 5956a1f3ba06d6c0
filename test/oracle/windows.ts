/**
 * Windows of event time, row by row: what a flow that runs on comes to, once what it takes back is taken back. Times are ticks; a row's event time may be null. What is not late
 * is in its windows, whatever the order of rows.
 */

export interface ModelRow {
  readonly time: bigint | null
  readonly key: string | null
}

export type ModelWindow =
  | { readonly kind: 'tumbling'; readonly size: bigint; readonly offset: bigint }
  | { readonly kind: 'sliding'; readonly size: bigint; readonly every: bigint; readonly offset: bigint }
  | { readonly kind: 'cumulative'; readonly size: bigint; readonly step: bigint; readonly offset: bigint }
  | { readonly kind: 'session'; readonly gap: bigint }
  | { readonly kind: 'rowCount'; readonly count: number }

export interface ModelTiming {
  readonly delay: bigint
  readonly lateness: bigint
  readonly maxAdvance: bigint | null
}

export interface WindowOf<R> {
  readonly start: bigint
  readonly end: bigint
  readonly key: string | null
  /** In the order in which they came. */
  readonly rows: readonly R[]
}

const floorMod = (a: bigint, b: bigint): bigint => ((a % b) + b) % b

/** Those that a time is in, by the definition of each. */
export function windowsAt(
  window: Exclude<ModelWindow, { kind: 'session' | 'rowCount' }>,
  time: bigint,
): { start: bigint; end: bigint }[] {
  const found: { start: bigint; end: bigint }[] = []
  if (window.kind === 'tumbling') {
    const start = time - floorMod(time - window.offset, window.size)
    return [{ start, end: start + window.size }]
  }
  if (window.kind === 'sliding') {
    const latest = time - floorMod(time - window.offset, window.every)
    for (let start = latest; start + window.size > time; start -= window.every)
      found.push({ start, end: start + window.size })
    return found
  }
  const start = time - floorMod(time - window.offset, window.size)
  for (let end = start + window.step; end <= start + window.size; end += window.step)
    if (time < end) found.push({ start, end })
  return found
}

/**
 * Rows but those of which one that stays, of equal key, is less than `within` away, before or after: as they come, the first stays. Late are those behind the watermark, further ahead
 * than they may be, or without a time.
 */
export function spaced<R extends ModelRow>(
  rows: readonly R[],
  within: bigint,
  timing: Pick<ModelTiming, 'delay' | 'maxAdvance'>,
  isBatch: boolean,
): { readonly kept: R[]; readonly late: R[] } {
  const kept: R[] = []
  const late: R[] = []
  let latest: bigint | null = null
  for (const row of rows) {
    const { time, key } = row
    const isAhead =
      !isBatch && time !== null && timing.maxAdvance !== null && latest !== null && time > latest + timing.maxAdvance
    if (time !== null && !isAhead && (latest === null || time > latest)) latest = time
    if (time === null || isAhead || (!isBatch && time < (latest as bigint) - timing.delay)) late.push(row)
    else if (
      !kept.some(
        other => other.key === key && (other.time as bigint) - time < within && time - (other.time as bigint) < within,
      )
    )
      kept.push(row)
  }
  return { kept, late }
}

/** All windows that have rows, and the rows that are late. `isBatch`: the watermark comes only at the end, so that none is but those without a time. */
export function windowed<R extends ModelRow>(
  rows: readonly R[],
  window: ModelWindow,
  timing: ModelTiming,
  isBatch: boolean,
): { readonly windows: WindowOf<R>[]; readonly late: R[] } {
  const late: R[] = []
  const places = new Map<string, { start: bigint; end: bigint; key: string | null; rows: R[] }>()
  let sessions: { start: bigint; last: bigint; key: string | null; rows: R[] }[] = []
  const over: typeof sessions = []
  let latest: bigint | null = null
  for (const row of rows) {
    const { time, key } = row
    if (time === null) {
      late.push(row)
      continue
    }
    if (!isBatch && timing.maxAdvance !== null && latest !== null && time > latest + timing.maxAdvance) {
      late.push(row)
      continue
    }
    if (latest === null || time > latest) latest = time
    if (window.kind === 'rowCount') {
      let place = places.get(String(key))
      if (place === undefined || place.rows.length === window.count) {
        if (place !== undefined) places.set(`${key} ${row.time} ${places.size}`, place)
        place = { start: time, end: time, key, rows: [] }
        places.set(String(key), place)
      }
      place.rows.push(row)
      if (time < place.start) place.start = time
      if (time > place.end) place.end = time
      continue
    }
    const mark = latest - timing.delay
    const isOver = (end: bigint): boolean => !isBatch && mark >= end + timing.lateness
    if (window.kind === 'session') {
      over.push(...sessions.filter(({ last }) => isOver(last + window.gap)))
      sessions = sessions.filter(({ last }) => !isOver(last + window.gap))
      const near = sessions.filter(
        each => each.key === key && time < each.last + window.gap && each.start < time + window.gap,
      )
      const joined = {
        start: near.reduce((least, each) => (each.start < least ? each.start : least), time),
        last: near.reduce((most, each) => (each.last > most ? each.last : most), time),
        key,
      }
      if (isOver(joined.last + window.gap)) {
        late.push(row)
        continue
      }
      const together = near.flatMap(each => each.rows)
      sessions = [...sessions.filter(each => !near.includes(each)), { ...joined, rows: [...together, row] }]
      continue
    }
    const all = windowsAt(window, time)
    const open = all.filter(({ end }) => !isOver(end))
    if (open.length === 0) late.push(row)
    for (const { start, end } of open) {
      const name = JSON.stringify([String(start), String(end), key])
      const place = places.get(name)
      if (place === undefined) places.set(name, { start, end, key, rows: [row] })
      else place.rows.push(row)
    }
  }
  const order = new Map(rows.map((row, i) => [row, i]))
  const made =
    window.kind === 'session'
      ? [...over, ...sessions].map(({ start, last, key, rows: mine }) => ({
          start,
          end: last + window.gap,
          key,
          rows: mine,
        }))
      : [...places.values()]
  const windows = made.map(each => ({
    ...each,
    rows: [...each.rows].sort((a, b) => (order.get(a) as number) - (order.get(b) as number)),
  }))
  const first = ({ rows: mine }: WindowOf<R>): number => order.get(mine[0] as R) as number
  windows.sort((a, b) => Number(a.end - b.end) || Number(a.start - b.start) || first(a) - first(b))
  return { windows, late }
}
