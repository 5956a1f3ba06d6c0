// A program outside the repository: type-checked as bundlers and as Node resolve, run in Node, overrides included.

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { root } from '../../scripts/build-kernels.mjs'
import { expectedRows, programBody, programHead } from './program.js'

const query = programHead()

const print = `
console.log(JSON.stringify(table.toRows()))
`

const execute = promisify(execFile)

async function runProgram(name: string, source: string) {
  const path = join(inject('consumer'), name)
  await writeFile(path, source)
  const { stdout, stderr } = await execute(process.execPath, [path], { cwd: inject('consumer'), timeout: 60_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

test('a program outside the repository runs on two lanes and ends by itself', async () => {
  expect(await runProgram('plain.js', query + programBody + print)).toEqual(expectedRows)
})

test('an engine is closed, and the program goes on, after a job that was left, failed or was given up', async () => {
  const program = `
import { columns, createEngine } from 'millrace'
const flow = columns({ a: Float64Array.from({ length: 300_000 }, (_, i) => i) })
const ends = {
  async left(engine) {
    for await (const _ of flow.run({ engine })) break
  },
  async failed(engine) {
    await flow.to(() => { throw new Error('no room') }, { engine }).finished.catch(() => {})
  },
  async given(engine) {
    const stop = new AbortController()
    const job = flow.orderBy('a').collect({ engine, signal: stop.signal }).catch(() => {})
    stop.abort()
    await job
  },
}
const told = []
for (const [name, end] of Object.entries(ends)) {
  const engine = await createEngine({ lanes: 2 })
  await end(engine)
  await engine.close()
  told.push(name)
}
console.log(JSON.stringify(told))
`
  expect(await runProgram('closing.js', program)).toEqual(['left', 'failed', 'given'])
})

test('a Parquet file, found by a pattern and read by lanes that nothing else keeps alive, is read to its end', async () => {
  const file = join(root, 'node_modules/vega-datasets/data/flights-?m.{parquet,other}')
  const program = `
import { count, parquet } from 'millrace'
const table = await parquet(${JSON.stringify(file)}).aggregate(() => ({ n: count() })).collect({ lanes: 2 })
console.log(JSON.stringify(table.toRows()))
`
  expect(await runProgram('parquet.js', program)).toEqual([{ n: 3_000_000 }])
})

test('what chunks have of one another is there when it is asked for: windows, and their first rows', async () => {
  const program = `
import { count, cumulative, desc, rows, session, sliding, tumbling } from 'millrace'
const flow = rows([{ time: new Date(1), key: 'a', x: 1 }]).watermark('time')
const told = []
for (const window of [tumbling('10ms'), sliding('10ms', '5ms'), cumulative('10ms', '5ms'), session('5ms')]) {
  const keyed = flow.window(window).groupBy('key')
  const first = await keyed.topK(1, desc('x')).collect()
  told.push([(await keyed.aggregate(() => ({ n: count() })).collect()).rowCount, first.rowCount, ...Object.keys(first.schema)])
}
console.log(JSON.stringify(told))
`
  const names = ['windowStart', 'windowEnd', 'time', 'key', 'x']
  expect(await runProgram('windows.js', program)).toEqual([1, 2, 2, 1].map(count => [count, count, ...names]))
})

test('chunks that import one another need nothing of each other as they are evaluated, whichever comes first', async () => {
  for (const platform of ['node', 'web']) {
    const from = join(inject('consumer'), 'node_modules/millrace/dist', platform)
    const to = join(inject('consumer'), `early-${platform}`)
    await mkdir(to)
    for (const file of await readdir(from)) {
      if (!file.endsWith('.js')) continue
      const code = await readFile(join(from, file), 'utf8')
      // A `var` would be undefined where what is not there yet is asked for.
      await writeFile(join(to, file), code.replace(/^var /gm, 'let '))
    }
    for (const first of ['index', 'core', 'shared']) {
      const program = `await import('./early-${platform}/${first}.js')\nconsole.log(true)\n`
      expect(await runProgram(`early-${platform}-${first}.js`, program)).toBe(true)
    }
  }
})

test('the published worker and kernels serve through configure, found by import.meta.resolve', async () => {
  const override = `
configure({
  worker: new URL(import.meta.resolve('millrace/worker.js')),
  kernels: new URL(import.meta.resolve('millrace/kernels.wasm')),
})
`
  expect(await runProgram('configured.js', query + override + programBody + print)).toEqual(expectedRows)
})

test('a factory of the program makes every lane from the published worker', async () => {
  const factory = `
import { Worker } from 'node:worker_threads'
let made = 0
const make = () => {
  made++
  return new Worker(new URL(import.meta.resolve('millrace/worker.js')))
}
configure({ worker: make })
`
  const report = `
console.log(JSON.stringify({ made, rows: table.toRows() }))
`
  expect(await runProgram('factory.js', query + factory + programBody + report)).toEqual({
    made: 2,
    rows: expectedRows,
  })
})

test('the published kernels serve as bytes', async () => {
  const override = `
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
configure({ kernels: await readFile(fileURLToPath(import.meta.resolve('millrace/kernels.wasm'))) })
`
  expect(await runProgram('bytes.js', query + override + programBody + print)).toEqual(expectedRows)
})

test('kernels of another build are refused, though all that they have is called as here', async () => {
  const override = `
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
const kernels = await readFile(fileURLToPath(import.meta.resolve('millrace/kernels.wasm')))
configure({ kernels: Buffer.from(kernels.toString('latin1').replace(/abi\\d+/, name => name.replace(/\\d/g, '0')), 'latin1') })
const attempt = async () => {${programBody}}
console.log(JSON.stringify(await attempt().catch(error => error.code)))
`
  expect(await runProgram('other-kernels.js', query + override)).toBe('MR_VERSION_MISMATCH')
})

test('importing the library does no work: no thread, no handle, no output', async () => {
  const program = `
const before = process.getActiveResourcesInfo().length
await import('millrace')
console.log(JSON.stringify(process.getActiveResourcesInfo().length - before))
`
  expect(await runProgram('import.js', program)).toBe(0)
})

const typed = `import { receive } from 'millrace'
${query}${programBody}
const typedRows: { symbol: number, trades: number, volume: number }[] = table.toRows()
configure({ kernels: new Uint8Array(8) })
const { port1, port2 } = new MessageChannel()
rows(input, trade).to(port1)
for await (const batch of receive<typeof trade>(port2)) batch.column('price').toArray().fill(0)
rows(input, trade).to(batch => batch.column('price'))
// @ts-expect-error no sink
rows(input, trade).to(42)
// @ts-expect-error no port
receive(42)
// @ts-expect-error neither bytes nor an address
configure({ kernels: 42 })
// @ts-expect-error a column that does not exist
rows(input, trade).groupBy('symbl')
export { typedRows }
`

const DOM = ['DOM', 'DOM.Iterable', 'DOM.AsyncIterable']

test.each([
  ['bundler', 'with the DOM', { lib: ['ES2023', ...DOM], types: [] }],
  ['nodenext', 'with the DOM', { lib: ['ES2023', ...DOM], types: [] }],
  ['node16', 'with Node.js alone', { lib: ['ES2023'], types: ['node'] }],
] as const)('the declarations hold for a consumer that resolves as %s, %s', async (resolution, _, libraries) => {
  const folder = join(inject('consumer'), resolution)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'program.ts'), typed)
  const compilerOptions = {
    target: 'ES2022',
    ...libraries,
    module: resolution === 'bundler' ? 'esnext' : resolution,
    moduleResolution: resolution,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const outcome = await execute(process.execPath, [tsc, '-p', folder]).catch(error => error)
  expect(outcome.stdout).toBe('')
  expect(outcome.stderr).toBe('')
})

test('what a consumer exports of flows can be named in declarations of its own', async () => {
  const folder = join(inject('consumer'), 'declarations')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'program.ts'), exporting)
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', ...DOM],
    module: 'nodenext',
    strict: true,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: 'emitted',
    types: [],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const outcome = await execute(process.execPath, [tsc, '-p', folder]).catch(error => error)
  expect(outcome.stdout).toBe('')
})

const exporting = `
import * as m from 'millrace'
export const trade = m.schema({ time: m.timestamp(), symbol: m.utf8(), price: m.float64(), size: m.nullable(m.int32()), isBuy: m.bool(), tags: m.list(m.utf8()) })
export const trades = m.rows([], trade)
const prices = m.columns({ symbol: ['a'], bid: [1, null] })
export const inWindows = trades.watermark('time').window(m.tumbling('1m')).groupBy('symbol')
export const pivoted = trades.pivot({ on: 'symbol', index: ['isBuy'], values: 'price', columns: ['a', 'b'] })
export const unpivoted = trades.unpivot({ on: ['price', 'size'] })
export const exploded = trades.explode('tags')
export const joined = trades.fullJoin(prices, 'symbol', { suffix: '_x' })
export const united = trades.union(prices, { missing: 'null' })
export const condition = m.when(true)
export const arrays = async () => (await trades.collect()).toColumns()
export const tree = (t: m.Columns<typeof trade>) => t.price.gt(1).expression
type Some = { readonly time: m.Timestamp; readonly symbol: m.Utf8; readonly price: m.Float64; readonly size: m.Nullable<m.Int32>; readonly isBuy: m.Bool }
export const derived = <S extends Some>(flow: m.Flow<S>) =>
  flow.derive(t => ({
    a: t.price.mul(t.size), b: t.price.div(t.size), c: t.size.coalesce(0), d: t.symbol.concat('x', t.symbol), e: t.time.gt(new Date()),
    f: t.size.cast(m.utf8()), g: t.price.pow(2), h: t.price.clamp(0), i: t.size.mod(2), j: m.when(t.isBuy).then(t.size).otherwise(0),
  }))
export const grouped = <S extends Some>(flow: m.Flow<S>) =>
  flow.groupBy('symbol').aggregate(t => ({ a: m.sum(t.size).div(2), b: m.mean(t.size), c: m.topK(t.price, 2), d: m.argMin(t.time, t.size), e: m.every(t.isBuy) }))
export const rolled = <S extends Some>(flow: m.Flow<S>) => flow.rollup('symbol').aggregate(t => ({ high: m.max(t.size) }))
export const placed = <S extends Some>(flow: m.Flow<S>) => flow.over({ orderBy: 'time', rows: [0, 1] }, t => ({ before: m.lag(t.price, 1, 0), sum: m.sum(t.size) }))
export const matched = <S extends Some>(flow: m.Flow<S>) => flow.leftJoin(prices, 'symbol')
`
