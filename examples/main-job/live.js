/**
 * The live half of the main job: the flights as they are reported, which is when they leave, so that those that are late come late. Windows by their scheduled time give mean delays
 * while the reports come, as fast as they can be read; last, what they have given is held against the same asked of all flights at once.
 */
import { count, max, mean, sliding, stream, tumbling } from 'millrace'

/**
 * @param flights a flow over flights with a date, in microseconds, a delay in minutes and an origin
 * @returns whether what was given live is what all at once gives
 */
export async function liveFlights(flights, { engine, lanesText }) {
  // The order of the reports: a flight with a delay of three hours is told three hours after its time.
  const reports = await flights
    .dropNulls('date', 'delay')
    .derive(t => ({ reported: t.date.epoch('us').add(t.delay.mul(60_000_000)) }))
    .orderBy('reported')
    .drop('reported')
    .collect({ engine })
  console.log(
    `Live: ${reports.rowCount.toLocaleString('en')} reports in the order in which they come, not in that of their times\n`,
  )

  const live = options =>
    stream(replayed(reports), { schema: reports.schema }).watermark('date', { delay: '2h', ...options })
  const byHour = flow =>
    flow
      .window(tumbling('1h'), { allowedLateness: '3 days' })
      .groupBy('origin')
      .aggregate(t => ({ flights: count(), delay: mean(t.delay), worst: max(t.delay) }))
  const smooth = flow => flow.window(sliding('6h', '1h')).aggregate(t => ({ flights: count(), delay: mean(t.delay) }))

  const board = createBoard()
  const began = performance.now()
  // Some flights are told a day before their time: they must not make all others late.
  const moving = smooth(live({ maxAdvance: '6h' })).run({ engine })
  for await (const batch of moving) board.show(batch, moving.metrics())
  board.end()
  const { rows: read, lateRows } = moving.metrics()
  console.log(
    `a mean over six hours, every hour: ${speed(read, began)}, ${lanesText()}; ${lateRows.toLocaleString('en')} reports came more than two hours after those of later flights, or long before their time; \`late()\` has them\n`,
  )

  const asked = performance.now()
  const given = new Map()
  let amended = 0
  const job = byHour(live()).run({ engine })
  for await (const batch of job) {
    for (const [i, row] of batch.toRows({ bigint: true }).entries()) {
      const name = `${row.windowStart} ${row.origin}`
      if ((batch.weights?.[i] ?? 1) > 0) given.set(name, text(row))
      else {
        amended++
        given.delete(name)
      }
    }
  }
  const seconds = performance.now() - asked
  const expected = await byHour(reports.flow().watermark('date')).collect({ engine })
  const differing = expected
    .toRows({ bigint: true })
    .filter(row => given.get(`${row.windowStart} ${row.origin}`) !== text(row))
  const agree = differing.length === 0 && given.size === expected.rowCount && job.metrics().lateRows === 0
  console.log(
    `delays by origin and hour: ${given.size.toLocaleString('en')} windows given in ${(seconds / 1000).toFixed(1)} s, ${amended.toLocaleString('en')} of them amended as late reports came;`,
  )
  console.log(
    agree
      ? `what was given live, amendments and all, is bit for bit what all ${reports.rowCount.toLocaleString('en')} flights at once give\n`
      : `what was given live DIFFERS from what all flights at once give, in ${differing.length} windows of ${expected.rowCount}\n`,
  )
  return agree
}

async function* replayed(table) {
  yield* table.batches
}

const text = row => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))

const speed = (rowCount, since) => `${(rowCount / (performance.now() - since) / 1000).toFixed(1)} million reports/s`

/** A line that stays where it is in a terminal, and is told now and then elsewhere. */
function createBoard() {
  const { isTTY } = process.stdout
  let shown = isTTY ? 0 : performance.now()
  let last = ''
  const draw = end => process.stdout.write(isTTY ? `\r\x1b[K${last}${end}` : `${last}\n`)
  return {
    show(batch, { lateRows, rows: read }) {
      const { windowEnd, flights, delay } = batch.at(-1)
      last = `${windowEnd.toISOString().slice(0, 16)}  ${flights} flights in six hours, mean delay ${delay.toFixed(1)} min  (${read.toLocaleString('en')} reports, ${lateRows.toLocaleString('en')} late)`
      if (performance.now() - shown < (isTTY ? 50 : 1000)) return
      shown = performance.now()
      draw('')
    },
    end() {
      if (last !== '') draw('\n')
    },
  }
}
