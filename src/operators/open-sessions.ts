/** The sessions of a key that are open at once, in the order of their last rows: a row is mostly of the last of them, or behind it. */

interface Session {
  readonly start: bigint
  readonly last: bigint
}

/**
 * Those that a row joins, from the gap before its time to the gap behind it, without those whose last row is at `over` or before: their end has gone by for good.
 * @param near what they are written to: it is asked row by row
 */
export function sessionsNear<S extends Session>(
  own: readonly S[],
  from: bigint,
  to: bigint,
  over: bigint,
  near: S[],
): S[] {
  while (near.length > 0) near.pop()
  // In the order of their last rows; those that are not over lie apart, and most rows come to the last.
  const least = from > over ? from : over
  let [first, end] = [0, own.length]
  for (let at = end - 1; first < end; at = (first + end) >>> 1) {
    if ((own[at] as S).last > least) end = at
    else first = at + 1
  }
  for (; first < own.length && (own[first] as S).start < to; first++) near.push(own[first] as S)
  return near
}

export function addSession<S extends Session>(own: S[], session: S): void {
  let at = own.length
  while (at > 0 && (own[at - 1] as S).last > session.last) at--
  own.splice(at, 0, session)
}
