// Millrace in a page: serves the repository and the exact answers, opens Chromium, and passes on what is asked; chromium-page.js is what runs there.

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

const pageText = '<!doctype html><script type="module" src="/bench/peers/chromium-page.js"></script>'

/**
 * @param {{ lanes: number }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ lanes }) {
  /** The answer that the page may fetch now. */
  let answer = ''
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname)
    const body = await bodyOf(path, answer)
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
    await page.evaluate(lanes => globalThis.millrace.open(lanes), lanes)
    return {
      version: `Chromium ${browser.version()}`,
      elsewhere: {
        load: (...table) => page.evaluate(each => globalThis.millrace.load(...each), table),
        ask: (id, expected) => {
          answer = expected
          return page.evaluate(id => globalThis.millrace.ask(id), id)
        },
      },
      load: elsewhere,
      run: elsewhere,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Of what a page of the benchmark imports, and of nothing else. */
async function bodyOf(path, answer) {
  if (path === '/index.html') return pageText
  if (path === '/answer' || path === '/answer.json') return readFile(`${answer}${extname(path)}`)
  return /^\/(bench|dist)\/.*\.js$/.test(path) ? readFile(join(root, path)).catch(() => null) : null
}

function elsewhere() {
  throw new Error('a peer in a page is asked through `elsewhere`')
}
