// Nexmark's queries in Millrace, each with the SQL that DuckDB answers the same by. Where several bids are equally good the earliest wins, and of those of one time the first to come.

/**
 * How a query runs on: `yes`; `both`, all that it reads streaming; `sides`, where auctions or people are read to their end first, and the others then go by; `end`, where there is an answer once the input has ended; `no`,
 * where that is refused, and it is only collected.
 * @typedef {'yes' | 'both' | 'sides' | 'end' | 'no'} RunsOn
 *
 * @typedef {object} NexmarkQuery
 * @property {string} id
 * @property {string} text
 * @property {RunsOn} runsOn
 * @property {string} [why] it does not
 * @property {Partial<Record<import('./generator.js').Kind, string[]>>} reads columns; the first kind is what streams
 * @property {(flows: Record<string, any>, delay: string) => any} build of a flow of each kind that it reads
 * @property {string} sql over tables person, auction and bid whose times are milliseconds, with the place of a row in `place`
 */

const DAY = 86_400_000
const RANGES = {
  1: { where: t => t.price.lt(10_000), sql: 'price < 10000' },
  2: { where: t => t.price.gte(10_000).and(t.price.lt(1_000_000)), sql: 'price >= 10000 and price < 1000000' },
  3: { where: t => t.price.gte(1_000_000), sql: 'price >= 1000000' },
}
const BID = ['auction', 'bidder', 'price', 'channel', 'url', 'time', 'extra']

/**
 * @param {any} api what `import 'millrace'` gives
 * @returns {NexmarkQuery[]}
 */
export function nexmarkQueries(api) {
  const { argMax, count, countDistinct, last, max, mean, min, session, sliding, sum, topK, tumbling } = api
  /** A bid beside its auction, while that is open, ranked so that the winner has the greatest rank. */
  const offers = ({ bid, auction }) =>
    bid
      .join(auction.rename({ time: 'opens' }), { auction: 'id' })
      .filter(t => t.time.gte(t.opens).and(t.time.lte(t.expires)))
      .derive(t => ({ rank: t.price.mul(1_000_000_000).sub(t.time.epoch('ms').sub(t.opens.epoch('ms'))) }))
  const offersSql = `select b.auction, b.bidder, b.price, b.time, b.place, a.seller, a.category,
    row_number() over (partition by a.id order by b.price desc, b.time, b.place) nth
    from bid b join auction a on b.auction = a.id where b.time between a.time and a.expires`

  const ranged = (t, name, make) =>
    Object.fromEntries(Object.entries(RANGES).map(([i, { where }]) => [`${name}${i}`, make().where(where(t))]))
  const rangedSql = (name, make) =>
    Object.entries(RANGES)
      .map(([i, { sql }]) => `${make} filter (where ${sql}) ${name}${i}`)
      .join(', ')
  const statistics = t => ({
    bids: count(),
    ...ranged(t, 'bids', () => count()),
    bidders: countDistinct(t.bidder),
    ...ranged(t, 'bidders', () => countDistinct(t.bidder)),
    auctions: countDistinct(t.auction),
    ...ranged(t, 'auctions', () => countDistinct(t.auction)),
  })
  const statisticsSql = ['bids', 'bidders', 'auctions']
    .map((name, i) => {
      const make = ['count(*)', 'count(distinct bidder)', 'count(distinct auction)'][i]
      return `${make} ${name}, ${rangedSql(name, make)}`
    })
    .join(', ')
  const withDay = flow => flow.derive(t => ({ day: t.time.truncate('day') }))
  const daySql = `time - time % ${DAY}`

  return [
    {
      id: 'q0',
      text: 'pass through',
      runsOn: 'yes',
      reads: { bid: BID },
      build: ({ bid }) => bid,
      sql: `select ${BID.join(', ')} from bid`,
    },
    {
      id: 'q1',
      text: 'price in another currency',
      runsOn: 'yes',
      reads: { bid: ['auction', 'bidder', 'price', 'time', 'extra'] },
      build: ({ bid }) => bid.derive(t => ({ price: t.price.mul(0.908) })),
      sql: 'select auction, bidder, price::double * 0.908::double price, time, extra from bid',
    },
    {
      id: 'q2',
      text: 'bids on given auctions',
      runsOn: 'yes',
      reads: { bid: ['auction', 'price'] },
      build: ({ bid }) => bid.filter(t => t.auction.mod(123).eq(0)),
      sql: 'select auction, price from bid where auction % 123 = 0',
    },
    {
      id: 'q3',
      text: 'sellers in OR, ID, CA of category 10',
      runsOn: 'sides',
      reads: { auction: ['id', 'seller', 'category'], person: ['id', 'name', 'city', 'state'] },
      build: ({ auction, person }) =>
        auction
          .filter(t => t.category.eq(10))
          .join(
            person.filter(t => t.state.in(['OR', 'ID', 'CA'])),
            { seller: 'id' },
          )
          .select('name', 'city', 'state', 'id'),
      sql: `select p.name, p.city, p.state, a.id from auction a join person p on a.seller = p.id
        where a.category = 10 and p.state in ('OR', 'ID', 'CA')`,
    },
    {
      id: 'q4',
      text: 'mean winning bid per category',
      runsOn: 'sides',
      reads: { bid: ['auction', 'price', 'time'], auction: ['id', 'category', 'time', 'expires'] },
      build: flows =>
        offers(flows)
          .groupBy('auction', 'category')
          .aggregate(t => ({ final: max(t.price) }))
          .emit('change')
          .groupBy('category')
          .aggregate(t => ({ final: mean(t.final) }))
          .emit('change'),
      sql: `select category, avg(price) final from (${offersSql}) where nth = 1 group by category`,
    },
    {
      id: 'q5',
      text: 'hot items per sliding 10 s',
      runsOn: 'yes',
      reads: { bid: ['auction', 'time'] },
      build: ({ bid }, delay) =>
        bid
          .watermark('time', { delay })
          .window(sliding('10s', '2s'))
          .groupBy('auction')
          .aggregate(() => ({ bids: count() }))
          // Several auctions may be equally hot: together they are a string.
          .derive(t => ({ text: t.auction.cast(api.utf8()) }))
          .groupBy('windowStart', 'windowEnd', 'bids')
          .aggregate(t => ({ auctions: api.join(t.text) }))
          .groupBy('windowStart', 'windowEnd')
          .aggregate(t => ({ auctions: argMax(t.auctions, t.bids), most: max(t.bids) })),
      sql: `with panes as (select auction, time - time % 2000 - 2000 * i as start from bid cross join range(5) r(i)),
        counts as (select start, auction, count(*) bids from panes group by start, auction),
        ranked as (select *, max(bids) over (partition by start) most from counts)
        select start "windowStart", start + 10000 "windowEnd", string_agg(auction::varchar, ',' order by auction) auctions, most
        from ranked where bids = most group by start, most`,
    },
    {
      id: 'q6',
      text: "mean of a seller's last 10 winning bids",
      runsOn: 'end',
      why: 'functions of ordered rows see all of them',
      reads: { bid: ['auction', 'price', 'time'], auction: ['id', 'seller', 'time', 'expires'] },
      build: flows =>
        offers(flows)
          .groupBy('auction', 'seller')
          .aggregate(t => ({ final: max(t.price), time: argMax(t.time, t.rank) }))
          .over({ partitionBy: 'seller', orderBy: ['time', 'auction'], rows: [-9, 0] }, t => ({ mean: mean(t.final) }))
          .select('seller', 'auction', 'mean'),
      sql: `select seller, auction, avg(price) over (partition by seller order by time, auction rows between 9 preceding and current row) mean
        from (${offersSql}) where nth = 1`,
    },
    {
      id: 'q7',
      text: 'highest bid per tumbling 10 s',
      runsOn: 'yes',
      reads: { bid: ['auction', 'bidder', 'price', 'time', 'extra'] },
      build: ({ bid }, delay) =>
        bid
          .watermark('time', { delay })
          .window(tumbling('10s'))
          .aggregate(t => ({
            auction: argMax(t.auction, t.price),
            bidder: argMax(t.bidder, t.price),
            price: max(t.price),
            time: argMax(t.time, t.price),
            extra: argMax(t.extra, t.price),
          })),
      sql: `select time - time % 10000 "windowStart", time - time % 10000 + 10000 "windowEnd", auction, bidder, price, time, extra from bid
        qualify row_number() over (partition by time - time % 10000 order by price desc, place) = 1`,
    },
    {
      id: 'q8',
      text: 'new people with auctions, per tumbling 10 s',
      runsOn: 'both',
      reads: { auction: ['seller', 'time'], person: ['id', 'name', 'time'] },
      build: ({ auction, person }, delay) =>
        person
          .watermark('time', { delay })
          .window(tumbling('10s'))
          .semiJoin(auction.watermark('time', { delay }), { id: 'seller' })
          .select('id', 'name', 'windowStart'),
      sql: `select distinct p.id, p.name, p.time - p.time % 10000 "windowStart" from person p
        join auction a on a.seller = p.id and a.time - a.time % 10000 = p.time - p.time % 10000`,
    },
    {
      id: 'q9',
      text: 'the winning bid of each auction',
      runsOn: 'sides',
      reads: { bid: ['auction', 'bidder', 'price', 'time'], auction: ['id', 'category', 'time', 'expires', 'seller'] },
      build: flows =>
        offers(flows)
          .groupBy('auction', 'category', 'seller')
          .aggregate(t => ({ bidder: argMax(t.bidder, t.rank), price: max(t.price), time: argMax(t.time, t.rank) }))
          .emit('change'),
      sql: `select auction, category, seller, bidder, price, time from (${offersSql}) where nth = 1`,
    },
    {
      id: 'q11',
      text: 'bids per user session',
      runsOn: 'yes',
      reads: { bid: ['bidder', 'time'] },
      build: ({ bid }, delay) =>
        bid
          .watermark('time', { delay })
          .window(session('10s'))
          .groupBy('bidder')
          .aggregate(() => ({ bids: count() })),
      sql: `with gaps as (select bidder, time, case when time - lag(time) over (partition by bidder order by time) < 10000 then 0 else 1 end gap from bid),
        named as (select *, sum(gap) over (partition by bidder order by time) nth from gaps)
        select min(time) "windowStart", max(time) + 10000 "windowEnd", bidder, count(*) bids from named group by bidder, nth`,
    },
    {
      id: 'q12',
      text: 'bids per user per 10 s of their arrival',
      runsOn: 'yes',
      reads: { bid: ['bidder', 'arrived'] },
      build: ({ bid }) =>
        bid
          .watermark('arrived')
          .window(tumbling('10s'))
          .groupBy('bidder')
          .aggregate(() => ({ bids: count() })),
      sql: `select arrived - arrived % 10000 "windowStart", arrived - arrived % 10000 + 10000 "windowEnd", bidder, count(*) bids from bid group by all`,
    },
    {
      id: 'q15',
      text: 'bids, bidders and auctions per day',
      runsOn: 'yes',
      reads: { bid: ['auction', 'bidder', 'price', 'time'] },
      build: ({ bid }) => withDay(bid).groupBy('day').aggregate(statistics).emit('change'),
      sql: `select ${daySql} "day", ${statisticsSql} from bid group by "day"`,
    },
    {
      id: 'q16',
      text: 'the same per channel',
      runsOn: 'yes',
      reads: { bid: ['auction', 'bidder', 'price', 'channel', 'time'] },
      build: ({ bid }) =>
        withDay(bid)
          .derive(t => ({ minute: t.time.truncate('minute') }))
          .groupBy('channel', 'day')
          .aggregate(t => ({ minute: max(t.minute), ...statistics(t) }))
          .emit('change'),
      sql: `select channel, ${daySql} "day", max(time - time % 60000) "minute", ${statisticsSql} from bid group by channel, "day"`,
    },
    {
      id: 'q17',
      text: 'auction statistics per day',
      runsOn: 'yes',
      reads: { bid: ['auction', 'price', 'time'] },
      build: ({ bid }) =>
        withDay(bid)
          .groupBy('auction', 'day')
          .aggregate(t => ({
            bids: count(),
            ...ranged(t, 'bids', () => count()),
            least: min(t.price),
            most: max(t.price),
            mean: mean(t.price),
            sum: sum(t.price),
          }))
          .emit('change'),
      sql: `select auction, ${daySql} "day", count(*) bids, ${rangedSql('bids', 'count(*)')}, min(price) least, max(price) most, avg(price) mean, sum(price) sum
        from bid group by auction, "day"`,
    },
    {
      id: 'q18',
      text: 'last bid per bidder and auction',
      runsOn: 'yes',
      reads: { bid: BID },
      build: ({ bid }, delay) =>
        bid
          .watermark('time', { delay })
          .groupBy('bidder', 'auction')
          .aggregate(t => ({
            price: last(t.price),
            channel: last(t.channel),
            url: last(t.url),
            time: last(t.time),
            extra: last(t.extra),
          }))
          .emit('change'),
      sql: `select bidder, auction, price, channel, url, time, extra from bid
        qualify row_number() over (partition by bidder, auction order by time desc, place desc) = 1`,
    },
    {
      id: 'q19',
      text: 'ten highest bids per auction',
      runsOn: 'yes',
      reads: { bid: ['auction', 'price'] },
      build: ({ bid }) =>
        bid
          .groupBy('auction')
          .aggregate(t => ({ highest: topK(t.price, 10) }))
          .emit('change'),
      sql: 'select auction, max(price, 10) highest from bid group by auction',
    },
  ]
}
