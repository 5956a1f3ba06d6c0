/**
 * The parsers of values for their tests: assembly/parse/ compiled by itself, with the flags of the library, so that the library exports nothing for
 * tests. Each runs over a batch of texts.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { hashFiles, kernelSources, root } from '../../../scripts/build-kernels.mjs'

const loop = (call: string): string =>
  `(texts: usize, spans: usize, count: u32, out: usize, states: usize): void {
    for (let i: u32 = 0; i < count; i++) {
      const at = texts + load<u32>(spans)
      const end = texts + load<u32>(spans, 4)
      store<u8>(states, ${call})
      spans += 8
      out += 8
      states++
    }
  }`

const SOURCE = `
  import { parseBool } from './assembly/parse/bool'
  import { parseFloat64 } from './assembly/parse/float'
  import { parseFloat32 } from './assembly/parse/float32'
  import { parseInt64 } from './assembly/parse/int'
  import { parseDate, parseTimestamp } from './assembly/parse/time'
  export { firstIllFormed } from './assembly/parse/utf8'
  export function ints ${loop('parseInt64(at, end, out)')}
  export function floats ${loop('parseFloat64(at, end, out)')}
  export function singles ${loop('parseFloat32(at, end, out)')}
  export function bools ${loop('parseBool(at, end)')}
  export function dates ${loop('parseDate(at, end, out)')}
  export function seconds ${loop('parseTimestamp(at, end, 1, out)')}
  export function milliseconds ${loop('parseTimestamp(at, end, 1000, out)')}
  export function microseconds ${loop('parseTimestamp(at, end, 1000000, out)')}
  export function nanoseconds ${loop('parseTimestamp(at, end, 1000000000, out)')}
`

const FLAGS = [
  ...['--runtime', 'stub', '--importMemory', '--noAssert', '--enable', 'simd'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '1'],
]

export type Instants = 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds'
type Loop = (texts: number, spans: number, count: number, out: number, states: number) => void
type Exports = Record<'ints' | 'floats' | 'singles' | 'bools' | 'dates' | Instants, Loop> & {
  firstIllFormed(at: number, length: number): number
}

/** What a parser answers for a text: the value, or its code. */
export type Answer<T> = T | { readonly code: number }

// Page 0 is the parsers' own; then at most so many texts of so many bytes together at once.
const [MOST_TEXTS, MOST_BYTES] = [8192, 1 << 22]
const [SPANS, OUT, STATES, TEXTS] = [1, 3, 5, 6].map(page => page << 16)

/** Stands behind each text, where it must not be taken for a part of it. */
const BEHIND = [
  '0123456789012345678901234',
  ':59:59.999Z+00:00-01T23:5',
  'e5.5E+1infinitynan-0.0+0.',
  '-99-99-99\u0000\u0000    truerue',
].map(text => new TextEncoder().encode(text))

/** From build/, where the hash of all that it is made from stands before it. */
async function load(): Promise<Exports> {
  const path = join(root, 'build', 'parsers-for-tests')
  const hash = Buffer.from(await hashFiles(await kernelSources(), `${FLAGS} ${SOURCE}`))
  let file = await readFile(path).catch(() => Buffer.alloc(0))
  if (!file.subarray(0, hash.length).equals(hash)) {
    file = Buffer.concat([hash, await compile()])
    const temporary = `${path}.${process.pid}.${threadId}.tmp`
    await mkdir(join(root, 'build'), { recursive: true })
    await writeFile(temporary, file)
    await rename(temporary, path)
  }
  const module = await WebAssembly.compile(Uint8Array.from(file.subarray(hash.length)))
  return (await WebAssembly.instantiate(module, { env: { memory, abort() {} } })).exports as unknown as Exports
}

async function compile(): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc')
  let binary = new Uint8Array()
  const { error, stderr } = await asc.main(['entry.ts', '--baseDir', root, '--outFile', 'entry.wasm', ...FLAGS], {
    readFile: (name: string) => (name === 'entry.ts' ? SOURCE : readFile(join(root, name), 'utf8').catch(() => null)),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name.endsWith('.wasm')) binary = Uint8Array.from(contents as Uint8Array)
    },
  })
  if (error) throw new Error(`The parsers do not compile.\n${stderr}`, { cause: error })
  return binary
}

const memory = new WebAssembly.Memory({ initial: 6 + (MOST_BYTES >> 16) + 2 })
const exports = await load()
const u8 = new Uint8Array(memory.buffer)
const i32 = new Int32Array(memory.buffer)
const i64 = new BigInt64Array(memory.buffer)
const f32 = new Float32Array(memory.buffer)
const f64 = new Float64Array(memory.buffer)
const encoder = new TextEncoder()

function* batches(parse: Loop, texts: readonly string[]): Generator<{ from: number; to: number }> {
  for (let from = 0; from < texts.length; ) {
    let at = 0
    let to = from
    while (to < texts.length && to - from < MOST_TEXTS && at + texts[to].length + 25 <= MOST_BYTES) {
      const { written } = encoder.encodeInto(texts[to], u8.subarray(TEXTS + at))
      i32[SPANS / 4 + 2 * (to - from)] = at
      at += written
      i32[SPANS / 4 + 2 * (to - from) + 1] = at
      u8.set(BEHIND[to % BEHIND.length], TEXTS + at)
      // No text has the same distance to a multiple of 8 as the one before.
      at += 25 + (to % 3)
      to++
    }
    if (to === from) throw new Error('a text is too long for this test')
    parse(TEXTS, SPANS, to - from, OUT, STATES)
    yield { from, to }
    from = to
  }
}

function answers<T>(parse: Loop, texts: readonly string[], read: (i: number) => T): Answer<T>[] {
  const all: Answer<T>[] = []
  for (const { from, to } of batches(parse, texts)) {
    for (let i = 0; i < to - from; i++) all.push(u8[STATES + i] === 0 ? read(i) : { code: u8[STATES + i] })
  }
  return all
}

export const ints = (texts: readonly string[]): Answer<bigint>[] => answers(exports.ints, texts, i => i64[OUT / 8 + i])
export const floats = (texts: readonly string[]): Answer<number>[] =>
  answers(exports.floats, texts, i => f64[OUT / 8 + i])
export const dates = (texts: readonly string[]): Answer<number>[] =>
  answers(exports.dates, texts, i => i32[OUT / 4 + 2 * i])
export const instants = (unit: Instants, texts: readonly string[]): Answer<bigint>[] =>
  answers(exports[unit], texts, i => i64[OUT / 8 + i])
export const bools = (texts: readonly string[]): number[] =>
  answers(exports.bools, texts, () => 0).map(answer => (typeof answer === 'number' ? answer : answer.code))

/** The first text that is not read as the float64 or float32 (to the bit) expected of it. */
export function firstWrong(
  texts: readonly string[],
  expected: ArrayLike<number>,
  which: 'floats' | 'singles' = 'floats',
): string | null {
  for (const { from, to } of batches(exports[which], texts)) {
    for (let i = 0; i < to - from; i++) {
      const got = which === 'floats' ? f64[OUT / 8 + i] : f32[OUT / 4 + 2 * i]
      if (u8[STATES + i] !== 0) return `${texts[from + i]} is no number`
      if (!Object.is(got, expected[from + i])) return `${texts[from + i]} is ${got}, not ${expected[from + i]}`
    }
  }
  return null
}

/** With `behind` right behind the bytes. */
export function firstIllFormed(bytes: Uint8Array, behind: Uint8Array = BEHIND[0]): number {
  u8.set(bytes, TEXTS)
  u8.set(behind, TEXTS + bytes.length)
  return exports.firstIllFormed(TEXTS, bytes.length)
}
