/** Nexmark's generator: what the rules of the page pin, and how often what is drawn comes. */
import { expect, test } from 'vitest'
import { createNexmark, nexmarkColumns } from '../../bench/nexmark/generator.js'

const base = 1_000_000
const events = 100_000
const nexmark = createNexmark({ seed: 7, rate: 10_000, base })
const all = Array.from({ length: events }, (_, e) => nexmark.event(e) as Record<string, any>)
const of = (kind: string) => all.filter(event => event.kind === kind)
const share = (list: Record<string, any>[], test: (event: Record<string, any>) => boolean) =>
  list.filter(test).length / list.length

test('kinds, ids and times follow from the number of the event', () => {
  expect(all.slice(0, 6).map(({ kind }) => kind)).toEqual(['person', 'auction', 'auction', 'auction', 'bid', 'bid'])
  expect([of('person').length, of('auction').length, of('bid').length]).toEqual([2000, 6000, 92_000])
  expect(of('person').map(({ id }) => id)).toEqual(Array.from({ length: 2000 }, (_, i) => 1000 + i))
  expect(of('auction').map(({ id }) => id)).toEqual(Array.from({ length: 6000 }, (_, i) => 1000 + i))
  expect([0, 9, 10, 19, 99_999].map(e => all[e]?.time - base)).toEqual([0, 0, 1, 1, 9999])
  const shared = createNexmark({ rate: 10_000, generators: 3, base })
  expect([0, 3, 4, 10].map(shared.timeOf)).toEqual([base, base, base + 1, base + 3])
})

test('ids that are drawn are of those that are about, and as often hot as they should be', () => {
  const wrong = all.filter((event, e) => {
    const lastPerson = Math.floor(e / 50)
    const r = e % 50
    const lastAuction = 3 * Math.floor(e / 50) + (r < 1 ? -1 : Math.min(r, 3) - 1)
    if (event.kind === 'bid') {
      const [auction, bidder] = [event.auction - 1000, event.bidder - 1000]
      const isHot = auction === Math.floor(lastAuction / 100) * 100
      const isHotBidder = bidder === Math.floor(lastPerson / 100) * 100 + 1
      const isAbout = auction >= Math.max(lastAuction - 100, 0) && auction <= lastAuction + 10
      const isPresent = bidder >= Math.max(lastPerson + 1 - 1000, 0) && bidder < lastPerson + 1 + 10
      return !((isHot || isAbout) && (isHotBidder || isPresent))
    }
    if (event.kind === 'person') return false
    // 1666 events take 166 or 167 ms here.
    const length = event.expires - event.time
    return event.reserve < event.initialBid + 100 || length < 1 || length > 334
  })
  expect(wrong).toEqual([])
  const late = (kind: string) => of(kind).filter(({ time }) => time > base + 5000)
  const epoch = ({ time }: Record<string, any>) => Math.floor(((time - base) * 10) / 50)
  expect(share(late('bid'), bid => (bid.auction - 1000) % 100 === 0)).toBeCloseTo(0.5 + 0.5 / 100, 1)
  expect(share(late('bid'), bid => (bid.bidder - 1000) % 100 === 1)).toBeCloseTo(0.75, 1)
  expect(
    share(late('auction'), auction => auction.seller - 1000 === Math.floor(epoch(auction) / 100) * 100),
  ).toBeCloseTo(0.75, 1)
})

test('prices, channels, names and strings are as the rules say', () => {
  const bids = of('bid')
  expect(bids.every(({ price }) => Number.isInteger(price) && price >= 100 && price <= 1e8)).toBe(true)
  // Uniform in the exponent.
  for (const power of [3, 4, 5, 6, 7])
    expect(share(bids, ({ price }) => price < 10 ** power)).toBeCloseTo((power - 2) / 6, 1)
  const hot = ['Google', 'Facebook', 'Baidu', 'Apple']
  for (const name of hot) expect(share(bids, ({ channel }) => channel === name)).toBeCloseTo(1 / 8, 2)
  const others = bids.filter(({ channel }) => !hot.includes(channel))
  expect(share(bids, ({ channel }) => hot.includes(channel))).toBeCloseTo(0.5, 1)
  expect(others.every(({ channel }) => /^channel-\d{1,4}$/.test(channel))).toBe(true)
  expect(share(others, ({ url }) => url.includes('&channel_id='))).toBeCloseTo(0.9, 1)
  expect(new Set(bids.map(({ channel, url }) => `${channel} ${url}`)).size).toBe(
    new Set(bids.map(({ channel }) => channel)).size,
  )
  for (const [name, length] of [
    ['name', 98],
    ['city', 10],
    ['state', 6],
  ] as const)
    expect(new Set(of('person').map(person => person[name])).size).toBeGreaterThan(0.9 * length)
  expect(new Set(of('person').map(({ state }) => state))).toEqual(new Set(['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']))
  const isWritten = ({ email, creditCard }: Record<string, any>) =>
    /^[a-z ]{3,7}@[a-z ]{3,5}\.com$/.test(email) && /^(\d{4} ){3}\d{4}$/.test(creditCard)
  expect(of('person').filter(person => !isWritten(person))).toEqual([])
  const auctions = of('auction')
  expect(new Set(auctions.map(({ category }) => category))).toEqual(new Set([10, 11, 12, 13, 14]))
  expect(
    auctions.every(
      ({ itemName, description }) =>
        itemName.length >= 3 && itemName.length <= 20 && description.length >= 3 && description.length <= 100,
    ),
  ).toBe(true)
  const letters = auctions.map(({ description }) => description).join('')
  expect([...letters].filter(letter => letter === ' ').length / letters.length).toBeCloseTo(1 / 13, 2)
  const meanExtra = bids.reduce((sum, { extra }) => sum + extra.length, 0) / bids.length
  expect(meanExtra).toBeCloseTo(68, -1)
})

test('an event is the same alone, among others, in another order and for part of its columns', () => {
  const disorder = 64
  const mixed = createNexmark({ seed: 7, rate: 10_000, base, disorder })
  const places = Array.from({ length: 640 }, (_, n) => mixed.eventAt(n))
  for (let from = 0; from < 640; from += disorder) {
    const group = places.slice(from, from + disorder)
    expect(group).not.toEqual(group.toSorted((a, b) => a - b))
    expect(group.toSorted((a, b) => a - b)).toEqual(Array.from({ length: disorder }, (_, i) => from + i))
  }
  for (const kind of ['person', 'auction', 'bid'] as const) {
    const columns = mixed.columns(kind, 100, 640) as Record<string, any>
    const expected = places
      .map((e, n) => [e, n] as const)
      .filter(([e, n]) => n >= 100 && mixed.kindOf(e) === kind)
      .map(([e, n]) => ({ ...all[e], arrived: mixed.timeOf(n) }) as Record<string, any>)
    expect(Object.keys(columns)).toEqual(Object.keys(nexmarkColumns[kind]))
    for (const [name, values] of Object.entries(columns)) {
      expect(
        Array.from(values as ArrayLike<unknown>, value => (typeof value === 'bigint' ? Number(value) : value)),
      ).toEqual(expected.map(event => event[name]))
      expect(mixed.columns(kind, 100, 640, [name])).toEqual({ [name]: values })
    }
  }
  let latest = 0
  for (const [n, e] of places.entries()) {
    expect(mixed.timeOf(e)).toBeGreaterThanOrEqual(mixed.timeOf(n - (n % disorder)))
    expect(mixed.timeOf(e)).toBeGreaterThanOrEqual(latest - mixed.delayMs)
    latest = Math.max(latest, mixed.timeOf(e))
  }
  expect(createNexmark({ seed: 8, rate: 10_000, base }).event(4)).not.toEqual(all[4])
  expect(() => createNexmark({ disorder: 1906 })).toThrow('953')
})
