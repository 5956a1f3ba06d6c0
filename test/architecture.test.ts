// The floors: which folder of src/ may import which, and who alone may touch what. The same table is in ARCHITECTURE.md.

import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { parseSync, Visitor } from 'vite'
import { describe, expect, test } from 'vitest'
import { listFiles, root } from '../scripts/build-kernels.mjs'

/** From the bottom up. A folder (or a file at the root of src/) imports itself and what is on a lower line. */
const floors = [
  ['errors', 'metrics'],
  ['columnar'],
  ['expressions', 'time', 'kernels'],
  ['formats', 'plan', 'state'],
  ['sources', 'sinks'],
  ['operators'],
  ['graph'],
  ['workers'],
  ['engines'],
  ['api'],
  ['index'],
]

/** Stricter than its floor: all that a folder may import besides itself. */
const onlyFrom: Record<string, string[]> = {
  errors: [],
  columnar: ['errors'],
  time: ['errors', 'columnar'],
}

/** Imports of packages and built modules: who alone may have them. */
const owners: [specifier: RegExp, owner: RegExp][] = [
  [/^node:/, /\.node\.ts$/],
  [/^comlink(\/|$)/, /^workers\//],
  [/^hyparquet(-compressors)?(\/|$)/, /^formats\/(parquet|compression)\//],
  [/^tinyglobby$/, /^workers\/.*\.node\.ts$/],
  [/^virtual:millrace\/kernels(\/|$)/, /^((kernels|workers)\/|formats\/text-readers\.ts$)/],
  [/^virtual:millrace\/worker$/, /^workers\//],
  [/^virtual:millrace\/lane\//, /^(workers\/|formats\/([^/]+\/format|text-readers)\.ts$)/],
]

interface SourceFile {
  /** Relative to src/, with slashes. */
  readonly name: string
  readonly imports: readonly string[]
  readonly touchesWebAssembly: boolean
  /** Calls of kernels, whose names are others in what is published. */
  readonly callsKernels: boolean
}

const floorOf = (folder: string) => floors.findIndex(names => names.includes(folder))
/** The compiled kernels' types: the one thing outside src/ that a file of it imports. */
const rawKernels = '../../build/kernels.js'
const folderOf = (name: string) => name.split('/')[0]!.replace(/\.(ts|js)$/, '')
const targetOf = (name: string, specifier: string) =>
  specifier.startsWith('#') ? `workers/${specifier.slice(1)}.ts` : join(dirname(name), specifier).replaceAll('\\', '/')
/** An import of another file of src/, whichever way it is written. */
const isInternal = (specifier: string) => /^[.#]/.test(specifier)

async function readSource(path: string): Promise<SourceFile> {
  const name = relative(join(root, 'src'), path).replaceAll('\\', '/')
  const { program, module, errors } = parseSync(path, await readFile(path, 'utf8'))
  expect(errors, name).toEqual([])
  const imports: string[] = []
  for (const { moduleRequest } of module.staticImports) imports.push(moduleRequest.value)
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest } of entries) {
      if (moduleRequest) imports.push(moduleRequest.value)
    }
  }
  let touchesWebAssembly = false
  let callsKernels = false
  new Visitor({
    ImportExpression({ source }) {
      // Text made at run time (a lane extension) is named by no string here.
      if (source.type === 'Literal') imports.push(String(source.value))
    },
    TSImportType({ source }) {
      imports.push(String(source.value))
    },
    MemberExpression({ object, property }) {
      if (object.type === 'Identifier' && object.name === 'WebAssembly') touchesWebAssembly = true
      if (property.type === 'Identifier' && property.name === 'exports') callsKernels = true
    },
  }).visit(program)
  return { name, imports, touchesWebAssembly, callsKernels }
}

const paths = (await listFiles(join(root, 'src'))).filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
const sources = await Promise.all(paths.map(readSource))
const violations = (isViolation: (file: SourceFile, specifier: string) => boolean) =>
  sources.flatMap(file =>
    file.imports
      .filter(specifier => isViolation(file, specifier))
      .map(specifier => `${file.name} imports ${specifier}`),
  )

describe('the floors of src/', () => {
  test('every file is on a floor', () => {
    expect(sources.length).toBeGreaterThan(10)
    expect(sources.map(({ name }) => name).filter(name => floorOf(folderOf(name)) < 0)).toEqual([])
  })

  // So no two files of different folders import each other, however far around.
  test('a folder imports itself and lower floors only', () => {
    const upward = violations(({ name }, specifier) => {
      if (!isInternal(specifier) || (specifier === rawKernels && name.startsWith('kernels/'))) return false
      const [from, to] = [folderOf(name), folderOf(targetOf(name, specifier))]
      if (from === to) return false
      return floorOf(to) < 0 || floorOf(to) >= floorOf(from) || !(onlyFrom[from] ?? [to]).includes(to)
    })
    expect(upward).toEqual([])
  })

  test('every relative import ends in .js', () => {
    expect(violations((_, specifier) => specifier.startsWith('.') && !specifier.endsWith('.js'))).toEqual([])
  })

  test('packages and built modules are imported by their owners only', () => {
    const foreign = violations(({ name }, specifier) => {
      if (isInternal(specifier)) return false
      const owner = owners.find(([pattern]) => pattern.test(specifier))
      return !owner?.[1].test(name)
    })
    expect(foreign).toEqual([])
  })

  test('only kernels/ touches WebAssembly', () => {
    const touching = sources.filter(
      ({ name, touchesWebAssembly }) => touchesWebAssembly && !name.startsWith('kernels/'),
    )
    expect(touching.map(({ name }) => name)).toEqual([])
    expect(sources.some(({ touchesWebAssembly }) => touchesWebAssembly)).toBe(true)
  })

  // scripts/short-exports.mjs renames the calls of that folder.
  test('only kernels/ calls the exports of the kernels', () => {
    const calling = sources.filter(({ name, callsKernels }) => callsKernels && !name.startsWith('kernels/'))
    expect(calling.map(({ name }) => name)).toEqual([])
    expect(sources.some(({ callsKernels }) => callsKernels)).toBe(true)
  })
})
