/** Rows that come behind all others, join by join, each through what follows its join: those that it has kept, and those of its other side that nobody met. */
import {
  type Deferred,
  type LastHost,
  type LastSegment,
  type MetMessage,
  PositionedFailure,
  type Side,
} from './operator.js'

/** Of the joins before the first whose other side's rows come out, and of it and those behind it. */
export type LastJoins = 'before' | 'behind'

export async function giveLast(
  host: LastHost,
  { transforms, breaker }: LastSegment,
  joins: readonly LastJoins[],
): Promise<void> {
  let failure: PositionedFailure | null = null
  const first = transforms.findIndex(({ side }) => side?.unmatched !== undefined)
  for (const [i, { side, deferred }] of transforms.entries()) {
    if (!joins.includes(first < 0 || i < first ? 'before' : 'behind')) continue
    const rest = { transforms: transforms.slice(i + 1), breaker }
    const wants = (split: number) => breaker?.wants(split) ?? true
    const give = ({ morsel, split }: Deferred) => {
      if (wants(split)) host.process(rest, morsel, split, split)
    }
    try {
      await deferred?.exchange?.(host, give)
    } catch (error) {
      // At the joins behind this one the other lanes meet this lane too.
      if (!(error instanceof PositionedFailure)) throw error
      failure ??= error
      continue
    }
    if (deferred !== undefined)
      await host.each(deferred.emit(), each => {
        if (each !== null) give(each)
        return true
      })
    if (side?.unmatched === undefined) continue
    const split = host.lastSplit === null ? host.noSplit : await shareMet(host, side, host.lastSplit)
    if (split === null) continue
    await host.each(side.unmatched.emit(), morsel => {
      if (wants(split)) host.process(rest, morsel, split, host.noSplit)
      return wants(split)
    })
  }
  if (failure !== null) throw failure
}

/** Rows that no lane has met come out of lane 0: the others tell it what they have met. Returns the split of these rows there, behind all others, and null in other lanes. */
async function shareMet(host: LastHost, { index, unmatched }: Side, lastSplit: number): Promise<number | null> {
  const own = unmatched as NonNullable<Side['unmatched']>
  if (host.lane > 0) {
    host.met({ type: 'met', side: index, marks: own.marks(), split: lastSplit })
    return null
  }
  let last = lastSplit
  for (const lane of host.peers) {
    const message = await host.told(lane)
    if (message.type !== 'met') throw new Error(`a lane that has scanned tells what it has met, not ${message.type}`)
    const { marks, split } = message as MetMessage
    host.charged(() => own.absorb(marks))
    last = Math.max(last, split)
  }
  return last + 1
}
