// Many feeds in one job.

import { expect, test } from 'vitest'
import { channel } from '../../../src/api/channel.js'
import type { Flow } from '../../../src/api/flow.js'
import { schema } from '../../../src/columnar/schema.js'
import { int32 } from '../../../src/columnar/type.js'

test('a union of many feeds, built one by one, gives all rows, ends with a signal, and nobody is warned of listeners', async () => {
  const warnings: string[] = []
  const note = ({ name }: Error) => warnings.push(name)
  process.on('warning', note)
  try {
    for (const isAborted of [false, true]) {
      const cancel = new AbortController()
      const feeds = Array.from({ length: 30 }, () => channel(schema({ a: int32() })))
      let flow: Flow<any> = feeds[0].flow
      for (const feed of feeds.slice(1)) flow = flow.union(feed.flow)
      const seen: number[] = []
      const reading = (async () => {
        for await (const batch of flow.run({ lanes: 0, signal: cancel.signal })) {
          for (const { a } of batch.toRows()) seen.push(a as number)
          if (isAborted) cancel.abort(new Error('enough'))
        }
      })()
      const pushing = Promise.all(feeds.map((feed, i) => feed.push([{ a: i }, { a: 100 + i }])))
      if (isAborted) {
        await expect(reading).rejects.toThrow('enough')
        await pushing.catch(() => {})
        continue
      }
      await pushing
      for (const feed of feeds) feed.close()
      await reading
      expect(seen.sort((a, b) => a - b)).toEqual([...feeds.keys(), ...[...feeds.keys()].map(i => 100 + i)])
    }
    await new Promise(resolve => setTimeout(resolve))
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', note)
  }
})
