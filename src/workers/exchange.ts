/**
 * Lanes share what comes after all rows: each sends the others their partitions, finishes its own, and sends results to the lanes where their groups
 * first appeared. lane-job.ts brings the lanes here; what is exchanged is operators/partitioned-groups.ts's.
 */
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { Exchange, ExchangeHost, ExchangeTerms, OwnExchange, Part, StatesToShare } from '../operators/operator.js'
import type { ReadyToExchange } from './protocol.js'

export async function exchangeGroups(host: ExchangeHost, exchange: Exchange, terms: ExchangeTerms): Promise<void> {
  const { lanes, common, size, spilled, laneOfSplit } = terms
  const others = lanes.filter(lane => lane !== host.lane)
  const partitions = host.charged(() =>
    exchange.begin(common, size, spilled ? { lane: host.lane, laneOfSplit } : undefined),
  )
  const shareOf = (lane: number): [number, number] => {
    const i = lanes.indexOf(lane)
    return [Math.floor((partitions * i) / lanes.length), Math.floor((partitions * (i + 1)) / lanes.length)]
  }
  const both = (parts: (to: number) => Iterable<Part<LaneBatch>>) => sendAndReceive(host, others, parts, exchange)
  await both(to => exchange.parts(...shareOf(to)))
  await host.each(exchange.finish(...shareOf(host.lane)), () => true)
  await both(to => exchange.results(to, laneOfSplit))
  await host.each(exchange.emit(host.lane, laneOfSplit), ({ split, morsel }) => {
    host.give(morsel, split)
    return true
  })
}

/** Lanes share out the values that their states hold, before they hand over what is left. */
export async function shareStates(
  host: Omit<ExchangeHost, 'give'>,
  states: StatesToShare,
  { lanes, common, isInVain }: ExchangeTerms,
): Promise<void> {
  if (isInVain) return
  const others = lanes.filter(lane => lane !== host.lane)
  const shareOf = (lane: number) => lanes.indexOf(lane)
  await sendAndReceive(host, others, to => states.parts(shareOf(to), lanes.length, common), states)
  host.charged(() => states.end(shareOf(host.lane), lanes.length, common, host.lane > 0))
}

/** Each lane to every other, and from it. */
async function sendAndReceive(
  host: Pick<ExchangeHost, 'send' | 'receive'>,
  others: readonly number[],
  parts: (to: number) => Iterable<Part<LaneBatch>>,
  taker: Pick<Exchange, 'receive'>,
): Promise<void> {
  await Promise.all([
    ...others.map(from => host.receive(from, part => taker.receive(part))),
    (async () => {
      for (const to of others) await host.send(to, parts(to))
    })(),
  ])
}

/** Who takes part: lane 0, which decides, and those that are ready; splits of all others have become lane 0's. */
export function agree(own: Exchange | OwnExchange, ready: ReadonlyMap<number, ReadyToExchange>): ExchangeTerms {
  const lanes = [0, ...[...ready.keys()].sort((a, b) => a - b)]
  const splits = [own.splits(), ...lanes.slice(1).map(lane => ready.get(lane)?.splits ?? [])]
  const most = splits.flat().reduce((last, split) => Math.max(last, split), 0)
  const laneOfSplit = new Uint32Array(most + 1)
  for (const [i, each] of splits.entries()) for (const split of each) laneOfSplit[split] = lanes[i]
  const others = [...ready.values()]
  const size = others.reduce((sum, each) => sum + each.size, own.size)
  const offer = own.states?.offer
  const ofStates = offer !== undefined && others.every(({ states }) => states !== undefined)
  const fingerprint = ofStates ? offer.fingerprint : own.fingerprint()
  const common = others.every(each => (ofStates ? each.states?.fingerprint : each.fingerprint) === fingerprint)
  return {
    lanes,
    size,
    laneOfSplit,
    common,
    spilled: own.spilled === true || others.some(each => each.spilled === true),
    ofStates,
    isInVain: ofStates && !common && offer.goesByIndex && others.every(({ states }) => states?.goesByIndex === true),
  }
}
