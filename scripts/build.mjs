// Builds what is published: dist/node/ and dist/web/ (bundles), dist/types/ (declarations), dist/kernels.wasm.

import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build as viteBuild } from 'vite'
import { hashFiles, kernelSources, listFiles, root } from './build-kernels.mjs'
import { kernelsFile, workerFile } from './inline-plugin.mjs'
import { shakeTypes } from './shake-types.mjs'

const dist = join(root, 'dist')
const stampPath = join(dist, '.stamp')

/**
 * Builds dist/, unless it was built from the very same inputs.
 *
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<boolean>} whether anything was built
 */
export async function buildLibrary({ force = false } = {}) {
  const stamp = await inputsHash()
  if (!force && (await readFile(stampPath, 'utf8').catch(() => null)) === stamp) return false
  await rm(stampPath, { force: true })
  await mkdir(dist, { recursive: true })
  await writeFile(join(dist, 'kernels.wasm'), await kernelsFile())
  for (const platform of ['node', 'web']) {
    await viteBuild({ root, configFile: join(root, 'vite.config.ts'), mode: platform, logLevel: 'warn' })
    await writeFile(join(dist, platform, 'worker.js'), await workerFile(platform))
  }
  await emitTypes()
  await writeFile(stampPath, stamp)
  return true
}

async function inputsHash() {
  const configs = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'vite.config.ts']
  const folders = await Promise.all(['src', 'scripts'].map(folder => listFiles(join(root, folder))))
  const inputs = [...configs, 'asconfig.json', 'THIRD_PARTY_LICENSES'].map(name => join(root, name))
  return hashFiles([...inputs, ...folders.flat(), ...(await kernelSources())], process.version)
}

/** Declarations are emitted beside dist/types and swapped in, so that an editor or a test never sees half of them. */
async function emitTypes() {
  const types = join(dist, 'types')
  const fresh = join(dist, 'types.new')
  await rm(fresh, { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh]).catch(
    error => {
      throw new Error(`The declarations cannot be emitted.\n${error.stdout}${error.stderr}`, { cause: error })
    },
  )
  await shakeTypes(fresh)
  await rm(types, { recursive: true, force: true })
  await rename(fresh, types)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startMs = performance.now()
  const built = await buildLibrary({ force: process.argv.includes('--force') })
  if (built) console.log(`Built dist/ in ${((performance.now() - startMs) / 1000).toFixed(1)} s.`)
}
