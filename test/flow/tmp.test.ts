import { expect, test } from 'vitest'
import { schema, timestamp, utf8, float64, stream, rows, lag, lead, rowNumber, rank, sum, ewma, tumbling, count, last } from '../../src/index.js'
const shape = schema({ time: timestamp(), key: utf8(), x: float64() })
const data = [[1,'a',1],[3,'b',2],[2,'a',3],[5,'a',4],[4,'b',5],[9,'a',6],[8,'b',7],[12,'b',8]].map(([t,k,x]) => ({ time: new Date(t as number), key: k as string, x: x as number }))
test('over', async () => {
  async function* src() { for (const d of data) yield (await rows([d], shape).collect({lanes:0})).batches[0] as any }
  const make = (f: any) => f.watermark('time', { delay: '2ms' }).over({ partitionBy: 'key', orderBy: 'time' }, (t: any) => ({ before: lag(t.x), next: lead(t.x), n: rowNumber(), r: rank(), s: sum(t.x), e: ewma(t.x, { alpha: 0.5 }) }))
  const job = make(stream(src(), { schema: shape })).run({ lanes: 0 })
  for await (const b of job) console.log(b.toString())
  console.log((await make(rows(data, shape)).collect()).toString(), job.metrics())
  const w = make(stream(src(), { schema: shape })).window(tumbling('5ms')).aggregate((t: any) => ({ n: count(), l: last(t.s) })).run({lanes: 0})
  for await (const b of w) console.log(b.toString())
  console.log((await make(rows(data, shape)).window(tumbling('5ms')).aggregate((t: any) => ({ n: count(), l: last(t.s) })).collect()).toString())
})
