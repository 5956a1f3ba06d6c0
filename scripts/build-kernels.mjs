// Compiles assembly/ to one WebAssembly module, its raw bindings' types, and modules of its parts; inline-plugin.mjs turns these into source text.

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository, with a slash-free end. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const require = createRequire(import.meta.url)

/** The modules that lanes load when they need them, each a file of assembly/parts/. */
export const PARTS = [
  'core',
  'evaluate',
  'numbers',
  'strings',
  'times',
  'conditions',
  'casts',
  'hashes',
  'text',
  'integers',
  'extremes',
  'aggregates',
  'partitions',
  'csv',
  'json',
  'joins',
  'over',
]

/**
 * Compiles the kernels, or finds them compiled. The cache key is the content of assembly/, the options and the compiler's
 * version; outputs are written to a temporary name and renamed, so that several processes may call this at once.
 *
 * @param {{ debug?: boolean, outDir?: string }} [options] `outDir` is absolute, by default build/
 * @returns {Promise<{ wasmPath: string, typesPath: string, partPaths: Record<string, string>, compiled: boolean }>} paths of the module that has
 *   everything, of its types, and of the modules of its parts
 */
export async function buildKernels({ debug = false, outDir = join(root, 'build') } = {}) {
  const name = debug ? 'kernels.debug' : 'kernels'
  const wasmPath = join(outDir, `${name}.wasm`)
  const typesPath = join(outDir, `${name}.d.ts`)
  const partPaths = Object.fromEntries(PARTS.map(part => [part, join(outDir, `${name}-${part}.wasm`)]))
  const stampPath = join(outDir, `${name}.stamp`)
  const stamp = await kernelsHash(debug)
  if ((await readText(stampPath)) === stamp && (await readText(typesPath))) {
    return { wasmPath, typesPath, partPaths, compiled: false }
  }
  await mkdir(outDir, { recursive: true })
  const { wasm, types } = await compile(debug, 'assembly/index.ts')
  for (const part of PARTS) {
    await writeAtomically(partPaths[part], (await compile(debug, `assembly/parts/${part}.ts`)).wasm)
  }
  // The stamp goes last: it vouches for the others.
  await writeAtomically(wasmPath, wasm)
  await writeAtomically(typesPath, types)
  await writeAtomically(stampPath, stamp)
  return { wasmPath, typesPath, partPaths, compiled: true }
}

/** Every file that the module is made from, absolute and sorted. */
export async function kernelSources() {
  return (await listFiles(join(root, 'assembly'))).filter(path => path.endsWith('.ts'))
}

/**
 * Absolute paths of the files below a folder, sorted; none where the folder is missing.
 *
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
export async function listFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

/**
 * A hash of the contents and the names (relative to the repository) of files.
 *
 * @param {string[]} paths absolute
 * @param {string} [salt] whatever else the outputs depend on
 */
export async function hashFiles(paths, salt = '') {
  const hash = createHash('sha256').update(salt)
  for (const path of paths) {
    hash.update(`\0${relative(root, path)}\0`)
    hash.update(await readFile(path).catch(() => ''))
  }
  return hash.digest('hex')
}

async function kernelsHash(debug) {
  const compiler = require('assemblyscript/package.json').version
  return hashFiles([join(root, 'asconfig.json'), ...(await kernelSources())], `${compiler} ${debug}`)
}

async function compile(debug, entry) {
  const { default: asc } = await import('assemblyscript/asc')
  const outputs = new Map()
  const { error, stderr } = await asc.main(
    [entry, '--baseDir', root, '--target', debug ? 'debug' : 'release', '--outFile', 'build/kernels.wasm'],
    { writeFile: (path, contents) => void outputs.set(path.replace(/^.*[\\/]/, ''), contents) },
  )
  const messages = stderr.toString().trim()
  if (error) throw new Error(`The kernels do not compile.\n${messages}`, { cause: error })
  if (messages) console.warn(messages)
  return { wasm: outputs.get('kernels.wasm'), types: outputs.get('kernels.d.ts') }
}

async function writeAtomically(path, contents) {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(temporary, contents)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

const readText = path => readFile(path, 'utf8').catch(() => null)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const debug = process.argv.includes('--debug')
  const { wasmPath, compiled } = await buildKernels({ debug })
  const { byteLength } = await readFile(wasmPath)
  console.log(`${relative(root, wasmPath)}: ${byteLength} bytes${compiled ? '' : ', up to date'}`)
}
