// A page of Chromium that imports the built library: serves the repository's code and what else the page fetches; chromium.js and ../reading ask it.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { chromium } from 'playwright-core'
import { ensureBrowser } from '../../scripts/browser.mjs'
import { root } from '../millrace-entry.js'

const contentTypes = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' }

/** A page that is isolated has timers of 5 microseconds, and others of 100. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/**
 * @param {string} html of a page that sets `globalThis.millrace` once it is ready
 * @param {(path: string) => Promise<Uint8Array> | null} [fetched] what the page may fetch beside code; null for what it may not
 * @returns {Promise<{ page: import('playwright-core').Page, version: string, close: () => Promise<void> }>}
 */
export async function openPage(html, fetched = () => null) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname)
    const body = path === '/index.html' ? html : await (fetched(path) ?? codeOf(path))
    const headers = { ...isolation, 'Content-Type': contentTypes[extname(path)] ?? 'application/octet-stream' }
    response.writeHead(body === null ? 404 : 200, headers).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = await chromium.launch({
    executablePath: ensureBrowser(),
    args: ['--no-sandbox', '--js-flags=--expose-gc'],
  })
  const close = async () => {
    await browser.close()
    server.close()
  }
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${server.address().port}/index.html`)
    await page.waitForFunction(() => 'millrace' in globalThis)
    return { page, version: `Chromium ${browser.version()}`, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Of what a page of the benchmark imports, and of nothing else. */
function codeOf(path) {
  return /^\/(bench|dist)\/.*\.js$/.test(path) ? readFile(join(root, path)).catch(() => null) : null
}
