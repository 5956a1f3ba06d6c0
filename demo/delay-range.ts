/** Ranges of delay, in whole minutes: the bins they are made of and how they are said. queries.ts asks for one, histogram.ts lets one be drawn. */

/** Both ends included; null: no bound on that side. */
export interface DelayRange {
  readonly from: number | null
  readonly to: number | null
}

export const everything: DelayRange = { from: null, to: null }

export const BIN_MINUTES = 5
/** Where the first bin begins; earlier flights are counted in it. */
export const LEAST_MINUTES = -60
/** Where the last bin begins; it has no end. */
export const MOST_MINUTES = 180
export const BIN_COUNT = (MOST_MINUTES - LEAST_MINUTES) / BIN_MINUTES + 1

/** Bins `[first, end)`, never empty. */
export interface BinRange {
  readonly first: number
  readonly end: number
}

export const minutesOfBin = (bin: number): number => LEAST_MINUTES + bin * BIN_MINUTES

export function delaysOfBins({ first, end }: BinRange): DelayRange {
  return {
    from: first === 0 ? null : minutesOfBin(first),
    to: end === BIN_COUNT ? null : minutesOfBin(end) - 1,
  }
}

/** The inverse of `delaysOfBins`, for bounds that lie between bins. */
export function binsOfDelays({ from, to }: DelayRange): BinRange {
  return {
    first: from === null ? 0 : (from - LEAST_MINUTES) / BIN_MINUTES,
    end: to === null ? BIN_COUNT : (to + 1 - LEAST_MINUTES) / BIN_MINUTES,
  }
}

export const sameRange = (a: DelayRange, b: DelayRange): boolean => a.from === b.from && a.to === b.to

const signed = (minutes: number): string => String(minutes).replace('-', '−')

/** As in "flights with a delay of …". */
export function sayRange({ from, to }: DelayRange): string {
  if (from === null) return to === null ? 'any length' : `at most ${signed(to)} minutes`
  return to === null ? `${signed(from)} minutes or more` : `${signed(from)} to ${signed(to)} minutes`
}

export const presets: readonly { readonly name: string; readonly range: DelayRange }[] = [
  { name: 'All flights', range: everything },
  { name: 'Early', range: { from: null, to: -1 } },
  { name: 'Within 15 min', range: { from: -15, to: 14 } },
  { name: '15+ min late', range: { from: 15, to: null } },
  { name: '1+ hour', range: { from: 60, to: null } },
  { name: '3+ hours', range: { from: 180, to: null } },
]
