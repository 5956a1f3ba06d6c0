// The Vite plugin behind the `virtual:millrace/*` modules: kernels and nested bundles as text (types: src/virtual.d.ts).

import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { build } from 'vite'
import { buildKernels, hashFiles, kernelSources, root } from './build-kernels.mjs'
import { renameExports, renameUses, shortNames } from './short-exports.mjs'
import { splitTexts, workerEntries, workerSplitting } from './split-worker.mjs'

/** @typedef {'node' | 'web'} Platform */

const prefix = 'virtual:millrace/'

/** All that calls the kernels' exports. */
const bindings = `${root.replaceAll('\\', '/')}/src/kernels/`

/** A lane extension is the file of this name in a format's folder: `virtual:millrace/lane/<format>`. */
const laneEntry = format => join(root, `src/formats/${format}/lane-extension.ts`)

/**
 * @param {{ platform: Platform, published?: boolean }} options what the worker inlined into this build runs on, and whether the kernels' exports
 *   have short names, in the wasm and where they are called
 * @returns {import('vite').Plugin}
 */
export function inlinePlugin({ platform, published = false }) {
  return {
    name: 'millrace-inline',
    enforce: 'pre',
    resolveId: id => (id.startsWith(prefix) ? `\0${id}` : null),
    async load(id) {
      if (!id.startsWith(`\0${prefix}`)) return null
      const { code, files } = await generate(id.slice(prefix.length + 1), platform, published)
      for (const file of files) this.addWatchFile(file)
      return { code, moduleType: 'js' }
    },
    async transform(code, id) {
      if (!published || !id.replaceAll('\\', '/').startsWith(bindings)) return null
      return { code: renameUses(code, await names()), map: null }
    },
  }
}

/**
 * How a platform's build resolves imports: its conditions choose the branch of `#platform` in package.json.
 *
 * @param {Platform} platform
 */
export const resolveOptions = platform => ({
  conditions: platform === 'node' ? ['node', 'module'] : ['browser', 'module'],
  mainFields: platform === 'node' ? ['module', 'main'] : ['browser', 'module', 'main'],
  // The reader without its own file access, on both platforms: bytes come from ours.
  alias: [{ find: /^hyparquet$/, replacement: 'hyparquet/src/index.js' }],
})

/**
 * The same for tests and the demo, where 'millrace' means the sources and not what was last built.
 *
 * @param {Platform} platform
 */
export function sourceResolveOptions(platform) {
  const { alias, ...options } = resolveOptions(platform)
  return { ...options, alias: [...alias, { find: /^millrace$/, replacement: join(root, 'src/index.ts') }] }
}

/** What a platform's bundles import and do not contain. @param {Platform} platform */
export const externals = platform => (platform === 'node' ? [/^node:/, ...builtinModules] : [])

/**
 * Leaves out the `require` by which fdir asks for a picomatch of the program's, which nothing here uses: bundles of CommonJS have no `import.meta.url` to make it of.
 *
 * @returns {import('vite').Plugin}
 */
export const requirePlugin = () => ({
  name: 'millrace-require',
  transform(code, id) {
    if (!/[\\/]node_modules[\\/]fdir[\\/]/.test(id)) return null
    return { code: code.replace('createRequire(import.meta.url)', 'null'), map: null }
  },
})

/**
 * Refuses a build that takes in a package whose licence THIRD_PARTY_LICENSES does not hold.
 *
 * @returns {import('vite').Plugin}
 */
export function licencePlugin() {
  return {
    name: 'millrace-licences',
    async moduleParsed({ id }) {
      const [, name] = id.match(/.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/) ?? []
      if (!name) return
      const licences = await readFile(join(root, 'THIRD_PARTY_LICENSES'), 'utf8')
      if (!licences.split('\n').includes(name.replace('\\', '/'))) {
        this.error(`${name} is bundled: add a line of its name and its licence to THIRD_PARTY_LICENSES.`)
      }
    },
  }
}

/**
 * The worker that is published as a file, lane extensions included: one file that may be served from anywhere, under any
 * name. An ES module for Node, and for browsers a script that runs with and without `type: 'module'`. What it imports is known only as it runs, which minifying no longer says, and
 * webpack is to be told.
 *
 * @param {Platform} platform
 */
export async function workerFile(platform) {
  const format = platform === 'node' ? 'es' : 'iife'
  const { source } = await nestedBundle(join(root, 'src/workers/worker-file.ts'), platform, format, true)
  return source.replace(/\bimport\((?=[\w$]+\))/g, 'import(/* webpackIgnore: true */')
}

/** The kernels that go with it. */
export const kernelsFile = () => namedKernels('', true)

/** The module of a part, or with '' that of everything. */
async function namedKernels(part, published) {
  const { wasmPath, partPaths } = await buildKernels()
  const bytes = await readFile(part === '' ? wasmPath : partPaths[part])
  return published ? renameExports(bytes, await names()) : bytes
}

/** An export has the same name in every module that has it. */
const names = async () => shortNames(await namedKernels('', false))

async function generate(name, platform, published) {
  if (/^kernels(\/|$)/.test(name)) return kernelsModule(name.slice('kernels/'.length), published)
  if (name === 'worker') {
    const { source, files } = await splitWorker(platform, published)
    return { code: `export const workerSource = ${JSON.stringify(source)}\n`, files }
  }
  if (workerEntries[name.slice('lane/'.length)] !== undefined) {
    const { parts, files } = await splitWorker(platform, published)
    return { code: `export const laneSource = ${JSON.stringify(parts[name.slice('lane/'.length)])}\n`, files }
  }
  if (name.startsWith('lane/')) {
    // One text serves both platforms: a lane extension gets its bytes from the lane and opens nothing itself.
    const { source, files } = await nestedBundle(laneEntry(name.slice('lane/'.length)), 'web', 'es', published)
    return { code: `export const laneSource = ${JSON.stringify(source)}\n`, files }
  }
  throw new Error(`There is no module ${prefix}${name}.`)
}

/**
 * The wasm bytes as one character each, which brotli packs to within 4% of what it makes of the bytes themselves (deflate
 * and base64: 19% more). No character is a quote, a backslash or a control, so whatever prints the string escapes nothing.
 *
 * ```
 *   byte         0 ..  51    52 ..  54    55 ..  84    85 .. 255
 *   character   28h .. 5Bh  5Dh .. 5Fh  61h .. 7Eh   A1h .. 14Bh
 * ```
 */
async function kernelsModule(part, published) {
  const bytes = await namedKernels(part, published)
  const text = Array.from(bytes, byte => {
    const skipped = (byte > 51 ? 1 : 0) + (byte > 54 ? 1 : 0) + (byte > 84 ? 34 : 0)
    return String.fromCharCode(byte + 40 + skipped)
  }).join('')
  const code = `const text = '${text}'
export async function kernels() {
  // More characters come of a script in UTF-8 that was read as something else.
  if (text.length !== ${bytes.length}) throw new Error('the script that holds the kernels was not read as UTF-8')
  const bytes = new Uint8Array(${bytes.length})
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i)
    bytes[i] = code - 40 - (code > 92) - (code > 96) - (code > 126) * 34
  }
  return bytes
}
`
  return { code, files: await kernelSources() }
}

/** Bundles made by this process; one is made again when the content of a file inside it has changed. */
const bundles = new Map()

const nestedBundle = (entry, platform, format, published) =>
  remembered(`${entry} ${platform} ${format} ${published}`, async () => {
    const { chunks, files, hash } = await makeBundle(entry, platform, format, published, false)
    if (chunks.length > 1) throw new Error(`${entry} must bundle to one file, not ${chunks.length}.`)
    return { source: chunks[0].code, files, hash }
  })

const splitWorker = (platform, published) =>
  remembered(`split ${platform} ${published}`, () => makeSplitWorker(platform, published))

async function remembered(key, make) {
  const known = await bundles.get(key)?.catch(() => null)
  if (known && known.hash === (await hashFiles(known.files))) return known
  const made = make()
  bundles.set(key, made)
  return made
}

async function makeSplitWorker(platform, published) {
  const { chunks, files, hash } = await makeBundle(workerEntries, platform, 'es', published, workerSplitting())
  return { ...splitTexts(chunks), files, hash }
}

async function makeBundle(entry, platform, format, published, codeSplitting) {
  const files = []
  const collectFiles = {
    name: 'millrace-files',
    moduleParsed: ({ id }) => void (id.startsWith('\0') || files.push(id.replace(/\?.*$/, ''))),
  }
  const output = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    mode: 'production',
    publicDir: false,
    resolve: resolveOptions(platform),
    plugins: [inlinePlugin({ platform, published }), licencePlugin(), collectFiles],
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      // A name is asked of every script that is no module; this one exports nothing under it.
      lib: { entry, formats: [format], name: 'millrace' },
      rolldownOptions: {
        platform: platform === 'node' ? 'node' : 'browser',
        external: externals(platform),
        output: { codeSplitting, minify: true },
      },
    },
  })
  return { chunks: [output].flat()[0].output, files, hash: await hashFiles(files) }
}
