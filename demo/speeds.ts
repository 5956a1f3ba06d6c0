/** The speeds that the slider goes through: how much of the recording goes by in a second. */

export interface Speed {
  readonly label: string
  /** Hours in a second. */
  readonly hours: number
}

export const speeds: readonly Speed[] = [
  { label: '20 minutes a second', hours: 1 / 3 },
  { label: '1 hour a second', hours: 1 },
  { label: '3 hours a second', hours: 3 },
  { label: '6 hours a second', hours: 6 },
  { label: '12 hours a second', hours: 12 },
  { label: 'a day a second', hours: 24 },
  { label: '3 days a second', hours: 72 },
  { label: 'a week a second', hours: 168 },
  { label: 'as fast as it goes', hours: Infinity },
]

/** Slow enough to be followed, fast enough that the first windows close within some seconds. */
export const FIRST_SPEED = 2

/** Milliseconds of the recording in one of the clock's. */
export const timesOf = ({ hours }: Speed): number => hours * 3600
