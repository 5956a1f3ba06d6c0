/** Every example in a docblock of the public interface compiles and runs. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as millrace from '../../src/index.js'
import { compile } from '../types/compile.js'

const root = join(import.meta.dirname, '../..')
const api = join(root, 'src/api')

/** What examples may take for granted. */
const BEFORE = `const flow = columns({
  time: [new Date('2024-01-02T03:04:05Z'), new Date('2024-01-02T03:04:06Z')],
  symbol: ['ABC', 'XYZ'],
  price: Float64Array.of(10.5, 11),
  size: [100, null],
  isBuy: [true, false],
})
const shown: string[] = []
const show = (value: unknown) => shown.push(String(value))
`

interface Example {
  readonly name: string
  readonly code: string
}

async function examples(): Promise<Example[]> {
  const found: Example[] = []
  const files = (await readdir(api)).filter(name => name.endsWith('.ts'))
  for (const file of files.sort()) {
    const text = await readFile(join(api, file), 'utf8')
    for (const [i, [, block]] of [...text.matchAll(/```ts\n(.*?)```/gs)].entries()) {
      found.push({ name: `${basename(file, '.ts')}-${i}`, code: (block as string).replace(/^ *\* ?/gm, '') })
    }
  }
  return found
}

/** An expression by itself is a flow, which is to be collected as well. */
function programOf({ code }: Example): string {
  const isExpression = !/^(await|const|for|async function)\b/.test(code)
  const body = isExpression ? `await (\n${code}\n).collect({ lanes: 0 })` : code
  const used = Object.keys(millrace).filter(
    name => name === 'columns' || new RegExp(`(?<![.\\w])${name}\\(`).test(code),
  )
  const peer = code.includes('tableFromIPC') ? `import { tableFromIPC } from '@uwdata/flechette'\n` : ''
  return `${peer}import { ${used.join(', ')} } from 'millrace'\n${BEFORE}export async function run() {\n${body}\nreturn shown\n}\nvoid [flow, show]\n`
}

const dataFile = (name: string): string => join(root, 'node_modules/vega-datasets/data', name)

let folder: string
beforeAll(async () => {
  await mkdir(join(root, 'build'), { recursive: true })
  folder = await mkdtemp(join(root, 'build/examples-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('every example compiles', async () => {
  const all = await examples()
  expect(all.length).toBeGreaterThan(20)
  const { messages } = await compile(Object.fromEntries(all.map(example => [example.name, programOf(example)])))
  for (const { name, code } of all) expect([code, ...(messages.get(name)?.values() ?? [])]).toEqual([code])
}, 60_000)

it('every example runs', async () => {
  for (const example of await examples()) {
    const file = join(folder, `${example.name}.ts`)
    const text = programOf(example)
      .replaceAll("'flights.parquet'", JSON.stringify(dataFile('flights-3m.parquet')))
      .replaceAll("'flights.arrow'", JSON.stringify(dataFile('flights-200k.arrow')))
      // What an example writes goes with the folder.
      .replace(/Sink\('([\w.-]+)'/g, (whole, name) => whole.replace(`'${name}'`, JSON.stringify(join(folder, name))))
    await writeFile(file, text)
    const { run } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { run(): Promise<string[]> }
    await run()
  }
}, 60_000)
