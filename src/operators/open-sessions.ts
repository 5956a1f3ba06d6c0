/** The sessions of a key that are open at once, in the order of their last rows: a row is mostly of the last of them, or behind it. */

interface Session {
  readonly start: bigint
  readonly last: bigint
}

/** Those within `gap` of `time`, without those whose last row is at `over` or before: their end has gone by for good. */
export function sessionsNear<S extends Session>(own: readonly S[], time: bigint, gap: bigint, over: bigint): S[] {
  let from = own.length
  while (from > 0 && time < (own[from - 1] as S).last + gap) from--
  return own.slice(from).filter(({ start, last }) => start < time + gap && last > over)
}

export function addSession<S extends Session>(own: S[], session: S): void {
  let at = own.length
  while (at > 0 && (own[at - 1] as S).last > session.last) at--
  own.splice(at, 0, session)
}
