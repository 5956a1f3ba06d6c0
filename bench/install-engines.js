// Installs what `npm ci` leaves out, and runs after it: Polars' package for this platform, which npm skips on Node 20 because its `engines` ask for
// 22, though it works; with `--chdb` ClickHouse too, of 550 MB.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const CHDB = '3.4.0'
const CHDB_LIBRARY = '26.7.3-stable.1'

const require = createRequire(import.meta.url)
// All in one command: npm removes what an earlier one added without saving it.
const wanted = [...polars(), ...(process.argv.includes('--chdb') ? chdb() : [])]
if (wanted.length > 0) {
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-package-lock', ...wanted], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  // Not an error: an engine that is not there is reported by the run that asks for it, and the others are measured.
  if (status !== 0) console.warn(`Not installed, so not to be measured here: ${wanted.join(', ')}`)
}

function polars() {
  const { optionalDependencies } = require('nodejs-polars/package.json')
  const name = Object.keys(optionalDependencies).find(name => name.endsWith(`-${platform()}`))
  return name ? [`${name}@${optionalDependencies[name]}`] : []
}

function chdb() {
  return [`chdb@${CHDB}`, `@chdb/lib-${platform().replace(/-musl$/, '-gnu')}@${CHDB_LIBRARY}`]
}

/** As both name their packages: 'linux-x64-gnu', 'darwin-arm64', 'win32-x64-msvc'. */
function platform() {
  const { glibcVersionRuntime } = process.report.getReport().header
  const suffixes = { linux: glibcVersionRuntime ? '-gnu' : '-musl', win32: '-msvc' }
  return `${process.platform}-${process.arch}${suffixes[process.platform] ?? ''}`
}
