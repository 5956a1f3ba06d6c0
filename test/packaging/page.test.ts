// The packed library on a page, with no bundler in between: zero configuration, and under a strict content security policy.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { servePages } from './page.js'
import { expectedRows, programBody, programHead } from './program.js'

const library = '/node_modules/millrace/dist'
const head = programHead(`${library}/web/index.js`)
const setAnswer = '\nglobalThis.answer = table.toRows()\n'

/** Nothing inline, no blob URLs, no `eval`; WebAssembly is allowed, since without it there is nothing to run. */
const strictPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
const noWebAssembly = "default-src 'self'; script-src 'self'; worker-src 'self'"

let pages: Awaited<ReturnType<typeof servePages>>

beforeAll(async () => {
  pages = await servePages(inject('consumer'))
})

afterAll(() => pages?.close())

async function runOnPage(name: string, source: string, policy = '') {
  await writeFile(join(inject('consumer'), `${name}.js`), source)
  return pages.open(`${name}.js`, policy)
}

test('with no configuration a page runs two lanes', async () => {
  const { answer, errors, warnings, workerCount } = await runOnPage('plain-page', head + programBody + setAnswer)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(warnings).toEqual([])
  expect(workerCount).toBe(2)
})

test('under a strict policy the published worker and kernels run two lanes', async () => {
  const override = `configure({ worker: '${library}/web/worker.js', kernels: '${library}/kernels.wasm' })\n`
  const program = head + override + programBody + setAnswer
  const { answer, errors, warnings, workerCount } = await runOnPage('configured-page', program, strictPolicy)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(warnings).toEqual([])
  expect(workerCount).toBe(2)
})

test('where a policy refuses the worker, the job runs inline and says so once', async () => {
  const program = head + programBody + programBody.replace('table', 'again') + setAnswer
  const { answer, errors, warnings } = await runOnPage('refused-page', program, strictPolicy)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(warnings.filter(warning => warning.includes('inline'))).toHaveLength(1)
})

test('where a policy allows the worker and nothing that it imports, the job runs inline and says so once', async () => {
  const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:"
  const program = head + programBody + programBody.replace('table', 'again') + setAnswer
  const { answer, errors, warnings } = await runOnPage('importless-page', program, policy)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(warnings.filter(warning => warning.includes('inline'))).toHaveLength(1)
})

test('where a policy refuses WebAssembly, the job rejects with MR_WASM_BLOCKED', async () => {
  const attempt = `try {${programBody}} catch (error) { globalThis.answer = error.code ?? String(error) }`
  const { answer } = await runOnPage('blocked-page', head + attempt, noWebAssembly)
  expect(answer).toBe('MR_WASM_BLOCKED')
})
