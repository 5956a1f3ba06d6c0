// Nexmark's events, of people, auctions and bids, seeded per event: any of them can be made by itself, and any column without the others. Distributions are those of the
// public generators (Beam's, nexmark/nexmark's); the streams are not the same.

/** Of 50 events the first is a person, three are auctions, and the rest bids. */
const PER_EPOCH = 50
const AUCTIONS = 3
const FIRST_ID = 1000
const FIRST_CATEGORY = 10
const CATEGORIES = 5
/** People who are about, and how far ahead of the last ids may be. */
const ACTIVE_PEOPLE = 1000
const ACTIVE_AUCTIONS = 100
const LEAD = 10
/** Ids that are a multiple of it are hot. */
const HOT = 100
/** Events in which the auctions that are open at a time begin: an auction lasts twice as long at most. */
const HORIZON_EVENTS = Math.floor((ACTIVE_AUCTIONS * PER_EPOCH) / AUCTIONS)
const CHANNELS = 10_000
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']
const FIRST_NAMES = 'Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter'.split(' ')
const LAST_NAMES = 'Shultz Abrams Spencer White Bartels Walton Smith Jones Noris'.split(' ')
const CITIES = 'Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne'.split(',')
const STATES = 'AZ CA ID OR WA WY'.split(' ')
/** Bytes of an event, on average; `extra` is what is missing of them. */
const SIZES = { person: 200, auction: 500, bid: 100 }

/** What each column is: `id` and `count` are int64, `time` a timestamp of milliseconds, `text` a string. */
export const nexmarkColumns = {
  person: {
    id: 'id',
    name: 'text',
    email: 'text',
    creditCard: 'text',
    city: 'text',
    state: 'text',
    time: 'time',
    extra: 'text',
  },
  auction: {
    id: 'id',
    itemName: 'text',
    description: 'text',
    initialBid: 'count',
    reserve: 'count',
    time: 'time',
    expires: 'time',
    seller: 'id',
    category: 'id',
    extra: 'text',
  },
  bid: {
    auction: 'id',
    bidder: 'id',
    price: 'count',
    channel: 'text',
    url: 'text',
    time: 'time',
    extra: 'text',
    arrived: 'time',
  },
}

/**
 * @typedef {'person' | 'auction' | 'bid'} Kind
 * @typedef {object} NexmarkOptions
 * @property {number} [seed]
 * @property {number} [rate] events a second of event time
 * @property {number} [generators] that share the rate
 * @property {number} [base] milliseconds, the time of event 0
 * @property {number} [disorder] events come in groups of so many, in another order in each; no multiple of 953
 */

/** @param {NexmarkOptions} [options] */
export function createNexmark({
  seed = 1,
  rate = 1e6,
  generators = 1,
  base = Date.UTC(2015, 6, 15),
  disorder = 1,
} = {}) {
  if (disorder % 953 === 0) throw new Error('events cannot be put in disorder in groups of a multiple of 953')
  const delayUs = (1e6 / rate) * generators
  /** Milliseconds of event number n, in order. */
  const timeOf = n => base + Math.floor(Math.floor(n * delayUs) / 1000)
  /** Which event comes at place n. */
  const eventAt = n => {
    const first = n - (n % disorder)
    return first + ((953 * n) % disorder)
  }

  /** Whole and uniform in [0, below): `draw` numbers the draws of an event. */
  const upTo = (e, draw, below) => Math.floor((bits(seed, e, draw) / 2 ** 32) * below)
  const oneOf = (e, draw, list) => list[upTo(e, draw, list.length)]
  const price = (e, draw) => Math.round(100 * 10 ** (6 * (bits(seed, e, draw) / 2 ** 32)))
  const letters = (e, draw, length) => {
    let state = bits(seed, e, draw)
    let text = ''
    for (let i = 0; i < length; i++) {
      state = scramble((state + 0x9e3779b9) | 0) >>> 0
      // One in 13 is a space, and the others are even.
      const at = state % 13
      text += at === 0 ? ' ' : String.fromCharCode(97 + (Math.floor(state / 13) % 26))
    }
    return text
  }
  const text = (e, draw, most) => letters(e, draw, 3 + upTo(e, draw + 1, most - 2))
  const extra = (e, draw, size, wanted) => {
    const missing = wanted - size
    if (missing <= 0) return ''
    const spread = Math.round(missing * 0.2)
    return letters(e, draw, missing - spread + (spread === 0 ? 0 : upTo(e, draw + 1, 2 * spread)))
  }

  const lastPerson = e => Math.floor(e / PER_EPOCH)
  const lastAuction = e => {
    const r = e % PER_EPOCH
    const epoch = Math.floor(e / PER_EPOCH)
    if (r < 1) return AUCTIONS * (epoch - 1) + AUCTIONS - 1
    return AUCTIONS * epoch + Math.min(r, AUCTIONS) - 1
  }
  const person = (e, draw) => {
    const people = lastPerson(e) + 1
    const active = Math.min(people, ACTIVE_PEOPLE)
    return people - active + upTo(e, draw, active + LEAD)
  }
  const hotPerson = e => Math.floor(lastPerson(e) / HOT) * HOT
  /** -1 for one of those that are hot. */
  const channelAt = e => (upTo(e, 4, 2) === 0 ? -1 : upTo(e, 5, CHANNELS))
  const channelName = e => {
    const channel = channelAt(e)
    return channel < 0 ? oneOf(e, 5, HOT_CHANNELS) : `channel-${channel}`
  }
  const urls = new Map()
  /** The same wherever the channel is. */
  const urlOf = name => {
    let url = urls.get(name)
    if (url === undefined) {
      const hot = HOT_CHANNELS.indexOf(name)
      const of = -1 - (hot < 0 ? HOT_CHANNELS.length + Number(name.slice(8)) : hot)
      const part = draw => letters(of, draw, 3 + upTo(of, draw + 1, 3)).replaceAll(' ', '_')
      url = `https://www.nexmark.com/${part(0)}/${part(2)}/${part(4)}/item.htm?query=1`
      if (hot < 0 && upTo(of, 6, 10) > 0) url += `&channel_id=${name.slice(8)}`
      urls.set(name, url)
    }
    return url
  }

  /** Every column by itself, of the event and the place at which it comes. */
  const makers = {
    person: {
      id: e => lastPerson(e) + FIRST_ID,
      name: e => `${oneOf(e, 0, FIRST_NAMES)} ${oneOf(e, 1, LAST_NAMES)}`,
      email: e => `${text(e, 2, 7)}@${text(e, 4, 5)}.com`,
      creditCard: e => [6, 7, 8, 9].map(draw => String(upTo(e, draw, 10_000)).padStart(4, '0')).join(' '),
      city: e => oneOf(e, 10, CITIES),
      state: e => oneOf(e, 11, STATES),
      time: timeOf,
      extra: e => {
        const own = ['name', 'email', 'creditCard', 'city', 'state'].map(name => makers.person[name](e).length)
        return extra(
          e,
          12,
          own.reduce((sum, length) => sum + length, 8),
          SIZES.person,
        )
      },
    },
    auction: {
      id: e => lastAuction(e) + FIRST_ID,
      itemName: e => text(e, 0, 20),
      description: e => text(e, 2, 100),
      initialBid: e => price(e, 4),
      reserve: e => price(e, 4) + price(e, 5),
      time: timeOf,
      expires: e => {
        const time = timeOf(e)
        return time + 1 + upTo(e, 6, Math.max(2 * (timeOf(e + HORIZON_EVENTS) - time), 1))
      },
      seller: e => FIRST_ID + (upTo(e, 7, 4) > 0 ? hotPerson(e) : person(e, 8)),
      category: e => FIRST_CATEGORY + upTo(e, 9, CATEGORIES),
      extra: e =>
        extra(e, 10, 48 + makers.auction.itemName(e).length + makers.auction.description(e).length, SIZES.auction),
    },
    bid: {
      auction: e => {
        const last = Math.max(lastAuction(e), 0)
        if (upTo(e, 0, 2) > 0) return FIRST_ID + Math.floor(last / HOT) * HOT
        const least = Math.max(last - ACTIVE_AUCTIONS, 0)
        return FIRST_ID + least + upTo(e, 1, last - least + 1 + LEAD)
      },
      bidder: e => FIRST_ID + (upTo(e, 2, 4) > 0 ? hotPerson(e) + 1 : person(e, 3)),
      price: e => price(e, 6),
      channel: channelName,
      url: e => urlOf(channelName(e)),
      time: timeOf,
      extra: e => extra(e, 7, 32, SIZES.bid),
      arrived: (_, n) => timeOf(n),
    },
  }

  /** @returns {Kind} */
  const kindOf = e => (e % PER_EPOCH < 1 ? 'person' : e % PER_EPOCH < 1 + AUCTIONS ? 'auction' : 'bid')

  return {
    kindOf,
    eventAt,
    timeOf,
    /** How far behind the latest time an event may be, in milliseconds, so that no event is late. */
    delayMs: disorder === 1 ? 0 : Math.ceil((disorder * delayUs) / 1000) + 1,

    /** One event, with all its columns as numbers and strings. */
    event(e, n = e) {
      const kind = kindOf(e)
      return { kind, ...Object.fromEntries(Object.entries(makers[kind]).map(([name, make]) => [name, make(e, n)])) }
    },

    /**
     * The events of one kind that come at places [from, to), as columns: a BigInt64Array, or of strings an array.
     * @param {Kind} kind
     * @param {number} from
     * @param {number} to
     * @param {string[]} [names] all by default
     * @returns {Record<string, BigInt64Array | string[]>}
     */
    columns(kind, from, to, names = Object.keys(nexmarkColumns[kind])) {
      const [places, events] = [[], []]
      for (let n = from; n < to; n++) {
        const e = eventAt(n)
        if (kindOf(e) !== kind) continue
        places.push(n)
        events.push(e)
      }
      return Object.fromEntries(
        names.map(name => {
          const make = makers[kind][name]
          if (nexmarkColumns[kind][name] === 'text') return [name, events.map((e, i) => make(e, places[i]))]
          const values = new BigInt64Array(events.length)
          for (let i = 0; i < events.length; i++) values[i] = BigInt(make(events[i], places[i]))
          return [name, values]
        }),
      )
    },
  }
}

/** 32 random bits of a draw of an event. */
function bits(seed, e, draw) {
  let x = scramble(seed ^ Math.imul(draw + 1, 0x9e3779b9))
  x = scramble(x ^ (e | 0))
  return scramble(x ^ Math.floor(e / 2 ** 32)) >>> 0
}

function scramble(x) {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) | 0
}
