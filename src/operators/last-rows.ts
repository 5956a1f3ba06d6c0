/** Rows that come behind all others, join by join, each through what follows its join: those that it has kept, and those of its other side that nobody met. */
import type { Segment } from './build.js'
import type { Morsel, Side } from './operator.js'
import type { SideHost } from './share-side.js'

export type LastSegment = Pick<Segment, 'transforms' | 'breaker'>

/** What a lane's job does for it. */
export interface LastHost extends Pick<SideHost, 'lane' | 'peers' | 'told' | 'charged'> {
  /** The last split that was read in this lane; null behind a breaker, where the rows are of no split and no other lane has met any. */
  readonly lastSplit: number | null
  readonly noSplit: number
  met(message: MetMessage): void
  each<T>(items: Iterable<T>, use: (item: T) => boolean): Promise<void>
  process(segment: LastSegment, morsel: Morsel, split: number, failedSplit: number): void
}

/** Which rows of a side a lane has met. */
export interface MetMessage {
  readonly type: 'met'
  readonly side: number
  readonly marks: Uint8Array<ArrayBuffer>
  /** The last split that it has read. */
  readonly split: number
}

/** Of the joins before the first whose other side's rows come out, and of it and those behind it. */
export type LastJoins = 'before' | 'behind'

export async function giveLast(
  host: LastHost,
  { transforms, breaker }: LastSegment,
  joins: readonly LastJoins[],
): Promise<void> {
  const first = transforms.findIndex(({ side }) => side?.unmatched !== undefined)
  for (const [i, { side, deferred }] of transforms.entries()) {
    if (!joins.includes(first < 0 || i < first ? 'before' : 'behind')) continue
    const rest = { transforms: transforms.slice(i + 1), breaker }
    const wants = (split: number) => breaker?.wants(split) ?? true
    if (deferred !== undefined)
      await host.each(deferred.emit(), each => {
        if (each !== null && wants(each.split)) host.process(rest, each.morsel, each.split, each.split)
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
