/** Joins by event time, row by row: every row of one side held against every row of the other. Times are ticks, or null; keys that are null equal nothing. */

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

const startOf = (time: bigint, size: bigint): bigint => time - (((time % size) + size) % size)

/** In windows of `size` from 0 on. */
export function inWindows<R extends TimedRow>(
  left: readonly R[],
  right: readonly R[],
  how: How,
  size: bigint,
  where: (l: R, r: R) => boolean,
): Met<R>[] {
  const timed = (rows: readonly R[]) => rows.filter(({ time }) => time !== null)
  const start = (row: R | null) => startOf(row?.time as bigint, size)
  return joinedBy(
    timed(left),
    timed(right),
    how,
    (l, r) => l.key !== null && l.key === r.key && start(l) === start(r) && where(l, r),
  ).map(met => ({ ...met, start: start(met.left ?? met.right) }))
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
  }).map(met => ({ ...met, start: 0n }))
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
