/** Workers in Node.js: worker threads, whose `exit` and `error` events tell of their end. inside-worker.node.ts is the other side. */
import { Worker } from 'node:worker_threads'
import type { Endpoint } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { StartWorker, WorkerOrigin } from './platform.js'

/** A module as a URL. The sourceURL keeps stack traces readable: without it each frame holds the whole text. */
export const textUrl = (text: string) =>
  `data:text/javascript;base64,${Buffer.from(`${text}\n//# sourceURL=millrace-lane.js`).toString('base64')}`

/** Whether the end of a worker is always noticed. */
export const seesDeath = (): boolean => true

function makeWorker(origin: WorkerOrigin): Worker {
  if (origin.kind === 'factory') return origin.make() as Worker
  const url = origin.kind === 'text' ? textUrl(origin.text) : origin.url
  // A string is a path to Node unless it is a URL object.
  const file = typeof url === 'string' && /^(data|file):/.test(url) ? new URL(url) : url
  // Of a program that is no file Node hands its kind on to workers, and refuses it then for those that are files.
  if (!process.execArgv.some(arg => arg.startsWith('--input-type'))) return new Worker(file)
  const execArgv = withoutProgram(process.execArgv)
  try {
    return new Worker(file, { execArgv })
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string }
    if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
    // Flags of the whole process, which workers have as it is, are refused where they are given to one: by name.
    return new Worker(file, { execArgv: execArgv.filter(arg => !message.includes(arg)) })
  }
}

/** What Node was started with, but for a program that is no file, and its kind. */
function withoutProgram(args: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < args.length; i++) {
    if (/^(--input-type|--eval|--print|-e|-p|-pe)$/.test(args[i])) {
      // Its value is the next one; that of `-p -e` the one after.
      if (!/^-e$|^--eval(=|$)/.test(args[i + 1] ?? '')) i++
    } else if (!/^--(input-type|eval|print)=/.test(args[i])) kept.push(args[i])
  }
  return kept
}

export const startWorker: StartWorker = origin => {
  const worker = makeWorker(origin)
  let listener: ((reason: Error | null) => void) | null = null
  let death: { reason: Error | null } | null = null
  let terminated = false
  const die = (reason: Error | null) => {
    if (death !== null || terminated) return
    death = { reason }
    listener?.(reason)
  }
  worker.on('error', error => die(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', () => die(null))
  return {
    endpoint: nodeEndpoint(worker as never) as Endpoint,
    onDeath(next) {
      listener = next
      if (death !== null) next(death.reason)
    },
    watchLock() {},
    keepAlive(on) {
      // The end of a worker is told by the worker: a process that waits for it must not be over before.
      if (terminated) return
      if (on) worker.ref()
      else worker.unref()
    },
    async terminate() {
      terminated = true
      worker.ref()
      await worker.terminate()
    },
  }
}
