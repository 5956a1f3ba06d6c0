// Where a benchmark ran: figures mean nothing without it.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { root } from './millrace-entry.js'

/** @returns {{ processor: string, memory: string, system: string, runtime: string, library: string }} */
export function describeMachine() {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const commit = git('rev-parse', '--short', 'HEAD')
  const isChanged = Boolean(git('status', '--porcelain', '--', 'src', 'assembly'))
  return {
    processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} threads`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    runtime: `Node.js ${process.version.slice(1)} (V8 ${process.versions.v8})`,
    library: `millrace ${version}${commit ? ` at ${commit}${isChanged ? ', with changes' : ''}` : ''}`,
  }
}

/** The command's output, or '' outside a repository. */
function git(...args) {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}
