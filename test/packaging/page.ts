// A served folder and a browser to open its pages with, for the suites of this folder that need a page.

import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { ensureBrowser } from '../../scripts/browser.mjs'

const contentTypes: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

export interface PageOutcome {
  /** What the page's module left in `globalThis.answer`; undefined where it never did. */
  readonly answer: unknown
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  readonly workerCount: number
  /** Files of the folder that the page and its workers fetched, relative to it. */
  readonly fetched: readonly string[]
}

/**
 * Serves a folder until `close`.
 *
 * @param folder absolute
 */
export async function servePages(folder: string) {
  let policy = ''
  let fetched: string[] = []
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname
    const body = await readFile(join(folder, path)).catch(() => null)
    if (body) fetched.push(path.slice(1))
    const headers: Record<string, string> = { 'Content-Type': contentTypes[extname(path)] ?? 'text/plain' }
    if (policy) headers['Content-Security-Policy'] = policy
    response.writeHead(body ? 200 : 404, headers).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })

  return {
    /**
     * Opens a page of its own over a module of the folder, and waits until it has answered.
     *
     * @param script the module, relative to the folder; its page is written beside it
     * @param pagePolicy the Content-Security-Policy of all that is served meanwhile
     */
    async open(script: string, pagePolicy = ''): Promise<PageOutcome> {
      policy = pagePolicy
      fetched = []
      const address = script.replace(/\.js$/, '.html')
      await writeFile(join(folder, address), `<!doctype html><script type="module" src="/${script}"></script>`)
      const page = await browser.newPage()
      const warnings: string[] = []
      const errors: string[] = []
      let workerCount = 0
      page.on('worker', () => void workerCount++)
      page.on('console', message => void (message.type() === 'warning' && warnings.push(message.text())))
      page.on('pageerror', error => void errors.push(error.message))
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${address}`)
      await page.waitForFunction(() => 'answer' in globalThis, null, { timeout: 30_000 }).catch(() => {})
      const answer = await page.evaluate(() => (globalThis as { answer?: unknown }).answer)
      await page.close()
      return { answer, errors, warnings, workerCount, fetched: [...new Set(fetched)].filter(path => path !== address) }
    },
    async close() {
      await browser.close()
      server.close()
    },
  }
}
