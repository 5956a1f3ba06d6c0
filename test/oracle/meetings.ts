/** Joins by event time, row by row: every row of one side held against every row of the other. Times are ticks, or null; keys that are null equal nothing. */

import { type ModelWindow, windowsAt } from './windows.js'

export interface TimedRow {
  readonly time: bigint | null
  readonly key: string | null
  readonly place: bigint
}

export type How = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'

/** Two rows, of which one may be missing, and of joins in windows where these begin. */
export interface Met<R> {
  readonly left: R | null
  readonly right: R | null
  readonly start: bigint
  readonly end: bigint
}

function joinedBy<R>(left: readonly R[], right: readonly R[], how: How, arePartners: (l: R, r: R) => boolean) {
  const out: { left: R | null; right: R | null }[] = []
  for (const l of left) {
    const partners = right.filter(r => arePartners(l, r))
    if (how === 'semi' ? partners.length > 0 : how === 'anti' && partners.length === 0)
      out.push({ left: l, right: null })
    if (how === 'semi' || how === 'anti') continue
    for (const r of partners) out.push({ left: l, right: r })
    if (partners.length === 0 && (how === 'left' || how === 'full')) out.push({ left: l, right: null })
  }
  if (how === 'right' || how === 'full')
    for (const r of right) if (!left.some(l => arePartners(l, r))) out.push({ left: null, right: r })
  return out
}

/** In each of the windows that their times are in. */
export function inWindows<R extends TimedRow>(
  left: readonly R[],
  right: readonly R[],
  how: How,
  window: Exclude<ModelWindow, { kind: 'session' | 'rowCount' }>,
  where: (l: R, r: R) => boolean,
): Met<R>[] {
  const windows = new Map<string, { readonly start: bigint; readonly end: bigint }>()
  const namesOf = ({ time }: R): string[] => {
    const all = time === null ? [] : windowsAt(window, time)
    for (const each of all) windows.set(`${each.start} ${each.end}`, each)
    return all.map(({ start, end }) => `${start} ${end}`)
  }
  const [own, other] = [left, right].map(rows => rows.map(row => ({ row, names: namesOf(row) }))) as [
    { row: R; names: string[] }[],
    { row: R; names: string[] }[],
  ]
  return [...windows].flatMap(([name, { start, end }]) => {
    const inside = (rows: typeof own) => rows.filter(({ names }) => names.includes(name)).map(({ row }) => row)
    const arePartners = (l: R, r: R) => l.key !== null && l.key === r.key && where(l, r)
    return joinedBy(inside(own), inside(other), how, arePartners).map(met => ({ ...met, start, end }))
  })
}

/** From `lower` to `upper` behind the left row. */
export function withinInterval<R extends TimedRow>(
  left: readonly R[],
  right: readonly R[],
  how: 'inner' | 'left',
  lower: bigint,
  upper: bigint,
  where: (l: R, r: R) => boolean,
): Met<R>[] {
  const timed = (rows: readonly R[]) => rows.filter(({ time }) => time !== null)
  // A left row without a time has no partner.
  return joinedBy(how === 'left' ? left : timed(left), timed(right), how, (l, r) => {
    if (l.time === null) return false
    const apart = (r.time as bigint) - l.time
    return l.key !== null && l.key === r.key && apart >= lower && apart <= upper && where(l, r)
  }).map(met => ({ ...met, start: 0n, end: 0n }))
}

/** Each left row beside the last right one that is not after it; of equal ones the last that came. */
export function latestBefore<R extends TimedRow>(
  left: readonly R[],
  right: readonly R[],
  isKeyed: boolean,
  tolerance: bigint | null,
): { readonly left: R; readonly right: R | null }[] {
  return left.map(l => {
    let found: R | null = null
    for (const r of right) {
      if (l.time === null || r.time === null || r.time > l.time) continue
      if (isKeyed && (l.key === null || l.key !== r.key)) continue
      if (tolerance !== null && l.time - r.time > tolerance) continue
      if (found === null || r.time >= (found.time as bigint)) found = r
    }
    return { left: l, right: found }
  })
}
