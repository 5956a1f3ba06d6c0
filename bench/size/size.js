// Download size: the least page with each library, bundled and minified for a browser, every file that it fetches compressed by brotli.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'vite'
import { root } from '../millrace-entry.js'
import { openPage } from '../peers/open-page.js'
import { markdownTable } from '../table.js'

/** Above this size the best brotli level takes minutes; such a file is compressed at level 9, and comes out a seventh larger. */
const LARGE_BYTES = 8e6

/** What a page with Millrace may download. */
const TARGET_BYTES = 60_000

/** Files that a page fetches beside its own bundle. */
const beside = { 'duckdb-wasm': ['duckdb-browser-eh.worker.js', 'duckdb-eh.wasm'] }

/**
 * @typedef {{ label: string, brotliBytes: number, files: { name: string, byteLength: number, brotliBytes: number }[] }} SizeResult
 */

/**
 * @param {object} options
 * @param {string[]} options.families peers to measure beside Millrace
 * @param {boolean} options.withMillrace
 * @param {(line: string) => void} options.log
 * @returns {Promise<SizeResult[]>}
 */
export async function measureSizes({ families, withMillrace, log }) {
  log('download size')
  const names = ['arquero', 'duckdb-wasm'].filter(name => families.includes(name))
  const results = []
  for (const name of withMillrace ? ['millrace', ...names] : names) {
    const files = [...(await bundle(name)), ...(await filesBeside(name))].map(({ name, bytes }) => {
      return { name, bytes, byteLength: bytes.length, brotliBytes: brotli(bytes) }
    })
    for (const [label, fetched] of name === 'millrace' ? await programsOf(files) : [[name, files]]) {
      results.push({ label, brotliBytes: fetched.reduce((sum, file) => sum + file.brotliBytes, 0), files: fetched })
    }
  }
  return results
}

/**
 * @param {SizeResult[]} results
 * @returns {import('../report.js').Section}
 */
export function sizeReport(results) {
  const kilobytes = byteLength => (byteLength / 1000).toFixed(1)
  const rows = results.map(({ label, brotliBytes, files }) => [
    label,
    kilobytes(brotliBytes),
    files.map(file => `${file.name.replace(/^assets\//, '')} ${kilobytes(file.brotliBytes)}`).join(', '),
  ])
  const ours = results.filter(({ label }) => label.startsWith('millrace'))
  return {
    text: ['## Download: the least page, minified, kB after brotli', markdownTable(['library', 'kB', 'files'], rows)],
    losses: ours
      .filter(({ brotliBytes }) => brotliBytes > TARGET_BYTES)
      .map(
        ({ label, brotliBytes }) =>
          `Download, ${label}: ${kilobytes(brotliBytes)} kB (the target is ${kilobytes(TARGET_BYTES)})`,
      ),
    problems: [],
    versions: [],
    measuresOurs: ours.length > 0,
  }
}

/**
 * What Chromium fetches of the bundle until the page has its answer: chunks are fetched when first needed. With workers a page has the lane as their text,
 * inline as a module.
 */
async function programsOf(files) {
  const programs = []
  for (const [label, lanes] of [
    ['millrace, inline', 0],
    ['millrace, 2 lanes', 2],
  ]) {
    const fetched = new Set()
    const main = files.find(({ name }) => /\bmillrace-/.test(name))
    const { page, close } = await openPage(
      `<body><script type="module">
        globalThis.lanes = ${lanes}
        await import('/${main.name}')
        globalThis.millrace = true
      </script>`,
      path => {
        const file = files.find(({ name }) => `/${name}` === path)
        if (file === undefined) return null
        fetched.add(file)
        return Promise.resolve(file.bytes)
      },
    )
    try {
      const text = await page.textContent('body')
      if (!text.includes('a') || !text.includes('4')) throw new Error(`${label}: the page says ${text}`)
    } finally {
      await close()
    }
    programs.push([label, [...fetched]])
  }
  return programs
}

async function bundle(name) {
  const { output } = await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    resolve: { alias: name === 'millrace' ? { millrace: await webEntry() } : {} },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: { input: fileURLToPath(new URL(`./${name}.js`, import.meta.url)) },
    },
  })
  return output
    .filter(({ fileName }) => !fileName.endsWith('.map'))
    .map(file => ({ name: file.fileName, bytes: Buffer.from(file.type === 'chunk' ? file.code : file.source) }))
}

/** What a bundler for browsers finds under 'millrace'. */
async function webEntry() {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const path = join(root, exports?.['.']?.default ?? 'dist/web/index.js')
  if (!existsSync(path)) throw new Error('Millrace has not been built: run `npm run build` first')
  return path
}

async function filesBeside(name) {
  const { resolve } = createRequire(import.meta.url)
  return Promise.all(
    (beside[name] ?? []).map(async file => ({
      name: file,
      bytes: await readFile(resolve(`@duckdb/duckdb-wasm/dist/${file}`)),
    })),
  )
}

function brotli(bytes) {
  const quality = bytes.length > LARGE_BYTES ? 9 : constants.BROTLI_MAX_QUALITY
  return brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }).length
}
