// `npm test`: lint, types, build, then every suite; the last line printed is `N passed, N failed` over all of them.

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBrowser } from './browser.mjs'
import { buildLibrary } from './build.mjs'
import { buildKernels, root } from './build-kernels.mjs'

const binaries = {
  biome: 'node_modules/@biomejs/biome/bin/biome',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
}

let passed = 0
let failed = 0

await check('lint', () => run(binaries.biome, ['check']))
await check('kernels', () => buildKernels())
await check('types', () => run(binaries.tsc, ['--noEmit']))
const built = await check('build', () => buildLibrary())
const browser = await check('browser', () => console.log(ensureBrowser()))
await suites([...(built ? [] : ['packaging']), ...(browser ? [] : ['browser*'])])

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed || !passed ? 1 : 0

async function check(name, action) {
  const startMs = performance.now()
  console.log(`\n— ${name}`)
  try {
    await action()
    passed++
    console.log(`  passed in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
    return true
  } catch (error) {
    failed++
    console.error(`  FAILED: ${error.message}`)
    return false
  }
}

/**
 * Runs Vitest over all projects and adds what its JSON report counts.
 *
 * @param {string[]} without projects whose check has failed already: with nothing to pack, or no browser to run in
 */
async function suites(without) {
  console.log('\n— suites')
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = ['run', '--config', 'vitest.full.config.ts', ...reporters, ...without.map(name => `--project=!${name}`)]
  const exit = await run(binaries.vitest, args).catch(error => error)
  const counts = JSON.parse(await readFile(report, 'utf8').catch(() => '{}'))
  // A file that fails to load, an unhandled rejection or a crash fails no single test, but it must not pass.
  const unloaded = (counts.testResults ?? []).filter(file => file.status === 'failed' && !file.assertionResults.length)
  const broken = (counts.numFailedTests ?? 0) + unloaded.length
  passed += counts.numPassedTests ?? 0
  failed += exit instanceof Error ? Math.max(broken, 1) : broken
  await rm(folder, { recursive: true })
}

function run(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      code === 0 ? resolve(undefined) : reject(new Error(`${script} ended with ${signal ?? `code ${code}`}`)),
    )
  })
}
