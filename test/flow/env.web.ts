/** The flow suites' environment in a browser: the flights file as a Blob, and web workers counted as they start and are ended. */

import flightsUrl from '../../node_modules/vega-datasets/data/flights-3m.parquet?url'
import arrowUrl from '../../node_modules/vega-datasets/data/flights-200k.arrow?url'
import jsonUrl from '../../node_modules/vega-datasets/data/flights-200k.json?url'
import type { FlowEnv } from './env.js'

export function webEnv(): FlowEnv {
  const Original = globalThis.Worker
  const endOriginal = Original.prototype.terminate
  const live = new Set<Worker>()
  globalThis.Worker = class extends Original {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given)
      live.add(this)
    }

    override terminate(): void {
      live.delete(this)
      super.terminate()
    }
  }
  let fetched: Promise<Blob> | null = null
  const flights = () => {
    fetched ??= fetch(flightsUrl).then(response => response.blob())
    return fetched
  }
  return {
    runtime: 'browser',
    flights,
    arrowFlights: async () => {
      const [input, rows] = await Promise.all([
        fetch(arrowUrl).then(response => response.blob()),
        fetch(jsonUrl).then(response => response.json()),
      ])
      return { input, rows }
    },
    flightsBytes: async () => new Uint8Array(await (await flights()).arrayBuffer()),
    async spillFiles() {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle('millrace-spill', { create: true })
      let count = 0
      for await (const _ of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) count++
      return count
    },
    workers: {
      get count() {
        return live.size
      },
      killLast() {
        const last = [...live].at(-1)
        if (last !== undefined) endOriginal.call(last)
        live.delete(last as Worker)
      },
    },
  }
}
