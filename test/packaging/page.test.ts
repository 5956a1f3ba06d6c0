// The packed library on a page, with no bundler in between: zero configuration, and under a strict content security policy.

import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ensureBrowser } from '../../scripts/browser.mjs'
import { expectedRows, programBody, programHead } from './program.js'

const library = '/node_modules/millrace/dist'

/** Nothing inline, no blob URLs, no `eval`; WebAssembly is allowed, since without it there is nothing to run. */
const strictPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
const noWebAssembly = "default-src 'self'; script-src 'self'; worker-src 'self'"

const contentTypes: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

let server: Server
let browser: Browser
let policy = ''

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname
    const body = await readFile(join(inject('consumer'), path)).catch(() => null)
    const headers: Record<string, string> = { 'Content-Type': contentTypes[extname(path)] ?? 'text/plain' }
    if (policy) headers['Content-Security-Policy'] = policy
    response.writeHead(body ? 200 : 404, headers).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

/** Runs a module on a page of its own; the answer is what the module puts in `globalThis.answer`. */
async function runOnPage(name: string, pagePolicy: string, source: string) {
  policy = pagePolicy
  await writeFile(join(inject('consumer'), `${name}.html`), `<script type="module" src="/${name}.js"></script>`)
  await writeFile(join(inject('consumer'), `${name}.js`), source)
  const page = await browser.newPage()
  const messages: string[] = []
  const errors: string[] = []
  let workerCount = 0
  page.on('worker', () => void workerCount++)
  page.on('console', message => void (message.type() === 'warning' && messages.push(message.text())))
  page.on('pageerror', error => void errors.push(error.message))
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}.html`)
  await page.waitForFunction(() => 'answer' in globalThis, null, { timeout: 30_000 }).catch(() => {})
  const answer = await page.evaluate(() => (globalThis as { answer?: unknown }).answer)
  await page.close()
  return { answer, errors, messages, workerCount }
}

const setAnswer = '\nglobalThis.answer = table.toRows()\n'

test('with no configuration a page runs two lanes', async () => {
  const program = programHead(`${library}/web/index.js`) + programBody + setAnswer
  const { answer, errors, messages, workerCount } = await runOnPage('plain-page', '', program)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(messages).toEqual([])
  expect(workerCount).toBe(2)
})

test('under a strict policy the published worker and kernels run two lanes', async () => {
  const override = `configure({ worker: '${library}/web/worker.js', kernels: '${library}/kernels.wasm' })\n`
  const program = programHead(`${library}/web/index.js`) + override + programBody + setAnswer
  const { answer, errors, messages, workerCount } = await runOnPage('configured-page', strictPolicy, program)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(messages).toEqual([])
  expect(workerCount).toBe(2)
})

test('where a policy refuses the worker, the job runs inline and says so once', async () => {
  const program =
    programHead(`${library}/web/index.js`) + programBody + programBody.replace('table', 'again') + setAnswer
  const { answer, errors, messages } = await runOnPage('refused-page', strictPolicy, program)
  expect(errors).toEqual([])
  expect(answer).toEqual(expectedRows)
  expect(messages.filter(message => message.includes('inline'))).toHaveLength(1)
})

test('where a policy refuses WebAssembly, the job rejects with MR_WASM_BLOCKED', async () => {
  const attempt = `try {${programBody}} catch (error) { globalThis.answer = error.code ?? String(error) }`
  const { answer } = await runOnPage('blocked-page', noWebAssembly, programHead(`${library}/web/index.js`) + attempt)
  expect(answer).toBe('MR_WASM_BLOCKED')
})
