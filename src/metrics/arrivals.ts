/** When the rows of a batch came, of those that came while a job ran: told with the batch, and no part of it. */

const arrivals = new WeakMap<object, number>()

/** @param at milliseconds, by the job's clock (`stopwatch`), when the oldest of its rows came; undefined: not known */
export function setArrival(batch: object, at: number | undefined): void {
  if (at !== undefined) arrivals.set(batch, at)
}

export const arrivalOf = (batch: object): number | undefined => arrivals.get(batch)
