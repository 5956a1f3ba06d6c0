// A flow served by the packed library in Node to an EventSource in a browser: every row once, though the connection is lost on the way, and an end.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ensureBrowser } from '../../scripts/browser.mjs'

type Library = typeof import('../../src/index.js')

let library: Library
let browser: Browser
beforeAll(async () => {
  const path = join(inject('consumer'), 'node_modules/millrace/dist/node/index.js')
  library = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Library
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })
})
afterAll(() => browser?.close())

const page = `<!doctype html><script>
const rows = [], source = new EventSource('/flow')
let opened = 0
source.onopen = () => opened++
source.onmessage = event => rows.push(...JSON.parse(event.data))
source.addEventListener('end', event => {
  const { rows: count } = JSON.parse(event.data)
  // It asks again, since it does not know an end: the answer makes it stop.
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) globalThis.answer = { rows, opened, count } }
})
</script>`

test('an EventSource gets every row once, goes on where its connection was lost, and stops at the end', async () => {
  const { columns, flowHandler, nodeHandler } = library
  const flow = columns({ id: Int32Array.from({ length: 50 }, (_, i) => i) })
  const serve = nodeHandler(flowHandler(() => flow, { format: 'sse', rowsPerEvent: 10 }))
  const asked: (string | undefined)[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== '/flow') {
      response.writeHead(200, { 'content-type': 'text/html' }).end(page)
      return
    }
    asked.push(request.headers['last-event-id'] as string | undefined)
    if (asked.length === 1) {
      // The connection is lost after two events, once the browser has had time to take them.
      const write = response.write.bind(response)
      let events = 0
      response.write = ((chunk: Uint8Array) => {
        if (++events <= 2) write(chunk)
        else if (events === 3) setTimeout(() => response.destroy(), 300)
        return true
      }) as typeof response.write
      response.end = () => response
    }
    void serve(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const tab = await browser.newPage()
  try {
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await tab.waitForFunction(() => 'answer' in globalThis, null, { timeout: 30_000 })
    const answer = await tab.evaluate(() => (globalThis as { answer?: unknown }).answer)
    expect(answer).toEqual({ rows: Array.from({ length: 50 }, (_, id) => ({ id })), opened: 2, count: 50 })
    expect(asked).toEqual([undefined, '20', 'end'])
  } finally {
    await tab.close()
    server.closeAllConnections()
    server.close()
  }
})
