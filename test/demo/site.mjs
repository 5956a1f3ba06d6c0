// Serves the built demo as a static host does: brotli for text, byte ranges for the rest. Used by the test and for the screenshots.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import { build } from 'vite'
import { root } from '../../scripts/build-kernels.mjs'

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.parquet': 'application/vnd.apache.parquet',
}

/** Builds the demo into a folder. @param {string} outDir absolute */
export async function buildDemo(outDir) {
  await build({
    configFile: join(root, 'vite.demo.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, sourcemap: false },
  })
}

/**
 * @param {string} folder absolute
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serveSite(folder) {
  const compressed = new Map()
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = join(folder, path === '/' ? 'index.html' : path)
    const body = await readFile(file).catch(() => null)
    if (body === null) return void response.writeHead(404).end()
    const headers = { 'Content-Type': contentTypes[extname(file)] ?? 'application/octet-stream' }
    if (extname(file) === '.parquet') return sendRange(request, response, body, headers)
    if (!compressed.has(file)) compressed.set(file, promisify(brotliCompress)(body))
    const packed = await compressed.get(file)
    response.writeHead(200, { ...headers, 'Content-Encoding': 'br', 'Content-Length': packed.length })
    response.end(request.method === 'HEAD' ? undefined : packed)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function sendRange(request, response, body, headers) {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  const part = from === undefined ? body : body.subarray(Number(from), Number(to) + 1)
  const range = from === undefined ? {} : { 'Content-Range': `bytes ${from}-${to}/${body.length}` }
  response.writeHead(from === undefined ? 200 : 206, {
    ...headers,
    ...range,
    'Accept-Ranges': 'bytes',
    'Content-Length': part.length,
  })
  response.end(request.method === 'HEAD' ? undefined : part)
}
