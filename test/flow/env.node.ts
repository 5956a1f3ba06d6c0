/** The flow suites' environment in Node: the flights file by its path, and worker threads counted as they start and end. */
import { readdirSync, readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { FlowEnv } from './env.js'

// By its place: the package exports no data file.
const FLIGHTS = new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url)
const require = createRequire(import.meta.url)

export function nodeEnv(): FlowEnv {
  const threads = require('node:worker_threads') as { Worker: typeof Worker }
  const Original = threads.Worker
  const live = new Set<Worker>()
  // The library's `import { Worker }` follows, since the bindings of a built-in module are live.
  threads.Worker = class extends Original {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given)
      live.add(this)
      this.once('exit', () => live.delete(this))
    }
  }
  syncBuiltinESMExports()
  return {
    runtime: 'node',
    flights: async () => fileURLToPath(FLIGHTS),
    arrowFlights: async () => ({
      input: fileURLToPath(new URL('flights-200k.arrow', FLIGHTS)),
      rows: JSON.parse(await readFile(new URL('flights-200k.json', FLIGHTS), 'utf8')),
    }),
    flightsBytes: async () => new Uint8Array(await readFile(FLIGHTS)),
    async spillFiles() {
      const named = (await readdir(tmpdir())).filter(file => file.startsWith(`millrace-${process.pid}-`))
      return named.length + openSpillFiles()
    },
    workers: {
      get count() {
        return live.size
      },
      killLast() {
        void [...live].at(-1)?.terminate()
      },
    },
  }
}

/** Those of the temporary folder that this process has open, in any of its threads, where the system tells. */
function openSpillFiles(): number {
  const folder = '/proc/self/fd'
  const targetOf = (name: string) => {
    try {
      return readlinkSync(`${folder}/${name}`)
    } catch {
      return '' // closed meanwhile
    }
  }
  if (process.platform !== 'linux') return 0
  return readdirSync(folder).filter(name => targetOf(name).startsWith(join(tmpdir(), `millrace-${process.pid}-`)))
    .length
}
