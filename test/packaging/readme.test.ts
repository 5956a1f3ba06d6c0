// The README's programs, run as a reader would: copied into a file beside the installed package, and run to their end.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transformWithOxc } from 'vite'
import { expect, inject, test } from 'vitest'
import { root } from '../../scripts/build-kernels.mjs'

const execute = promisify(execFile)
const readme = await readFile(join(root, 'README.md'), 'utf8')
const flights = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet')

/** Programs that name addresses of a page are for browsers: page.test.ts runs the like of them. */
const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
  .map(([, code]) => code)
  .filter(code => !code.includes("'/assets/"))

/** Without its types, over a file that is there. */
async function runnable(program: string): Promise<string> {
  const { code } = await transformWithOxc(program, 'program.ts')
  return code.replaceAll(/(['"])flights.parquet\1/g, JSON.stringify(flights))
}

test('there are programs in the README', () => {
  expect(programs.length).toBeGreaterThanOrEqual(2)
})

test.each(programs.map((code, i) => [i + 1, code] as const))('program %i runs to its end', async (i, code) => {
  const path = join(inject('consumer'), `readme-${i}.js`)
  await writeFile(path, await runnable(code))
  const { stderr } = await execute(process.execPath, [path], { cwd: inject('consumer'), timeout: 60_000 })
  expect(stderr).toBe('')
})

test('the programs compile where the compiler is strict', async () => {
  const folder = join(inject('consumer'), 'readme')
  await mkdir(folder)
  for (const [i, code] of programs.entries()) await writeFile(join(folder, `readme-${i + 1}.ts`), code)
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: [],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const outcome = await execute(process.execPath, [tsc, '-p', folder]).catch(error => error)
  expect(outcome.stdout).toBe('')
})

/** `expression // [...]`: what a comment promises is what comes. */
test('the answers in its comments are right', async () => {
  const promised = [...readme.matchAll(/^(\w[^\n]*?toRows\(\)) \/\/ (\[.*\])$/gm)]
  expect(promised.length).toBeGreaterThan(0)
  for (const [, expression, answer] of promised) {
    const code = programs.find(program => program.includes(expression)) as string
    const path = join(inject('consumer'), 'readme-answer.js')
    const print = `\nconsole.error(JSON.stringify([${expression}, ${answer}]))\n`
    await writeFile(path, (await runnable(code)) + print)
    const { stderr } = await execute(process.execPath, [path], { cwd: inject('consumer'), timeout: 60_000 })
    const [came, said] = JSON.parse(stderr)
    expect(came).toEqual(said)
  }
})
