// The handle on a peer in a process of its own: peer-process.js is what runs there, groupby/suite.js decides when.

import { fork } from 'node:child_process'
import { once } from 'node:events'

/**
 * @typedef {object} PeerHandle
 * @property {import('./peers/catalogue.js').PeerEntry} entry
 * @property {string} version
 * @property {(rowCount: number, seed: number, names: string[]) => Promise<import('./peer-process.js').Load>} load of the columns of these names
 * @property {(id: string, expected: string) => Promise<import('./groupby/ask.js').Run>} run asks a question, whose exact answer is in the file
 *   `expected`; rejects where the peer fails or takes longer than the limit; after that the process is gone and every further run rejects
 * @property {() => Promise<number | null>} peak resolves with the most bytes that the process has held so far, null where that is not the peer's
 * @property {() => Promise<void>} close ends the process, waiting for it
 */

/**
 * Starts a process and opens the peer in it.
 *
 * @param {import('./peers/catalogue.js').PeerEntry} entry
 * @param {{ limitMs: number }} options the longest that one command may take
 * @returns {Promise<PeerHandle>}
 */
export async function openPeer(entry, { limitMs }) {
  const { send, close, kill } = openProcess(new URL('./peer-process.js', import.meta.url), { limitMs })
  try {
    const { version } = await send('open', { module: entry.module, options: entry.options })
    return {
      entry,
      version,
      load: (rowCount, seed, names) => send('load', { rowCount, seed, names }),
      run: (id, expected) => send('run', { id, expected, exact: entry.isExact }),
      peak: () => send('peak'),
      close,
    }
  } catch (error) {
    await kill()
    throw error
  }
}

/**
 * A process that answers commands one after another, each a message `{ command, argument }`, with `{ result }` or `{ error }`; `close` is one of them.
 *
 * @param {URL} script
 * @param {{ limitMs: number }} options the longest that one command may take
 * @returns {{ send: (command: string, argument?: unknown) => Promise<any>, close: () => Promise<void>, kill: () => Promise<void> }}
 */
export function openProcess(script, { limitMs }) {
  const child = fork(script, {
    serialization: 'advanced',
    execArgv: ['--expose-gc', '--max-old-space-size=8192'],
  })
  let hasExited = false
  const exited = once(child, 'exit').then(([code, signal]) => {
    hasExited = true
    return `the process ended (${signal ?? code})`
  })

  const send = async (command, argument) => {
    if (hasExited) throw new Error(await exited)
    const waiting = new AbortController()
    const answer = once(child, 'message', { signal: waiting.signal }).then(([message]) => message)
    answer.catch(() => {})
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, limitMs)
    child.send({ command, argument })
    try {
      const message = await Promise.race([answer, exited])
      if (typeof message === 'string') throw new Error(isLate ? `took longer than ${limitMs / 1000} s` : message)
      if (message.error !== undefined) throw new Error(message.error)
      return message.result
    } finally {
      clearTimeout(timer)
      waiting.abort()
    }
  }

  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }

  const close = async () => {
    if (hasExited) return
    await send('close').catch(() => child.kill('SIGKILL'))
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(timer)
  }

  return { send, close, kill }
}
