/** Users' own kernels, compiled here from AssemblyScript: what they are given, what becomes of what they give, on any number of lanes; what is refused, and what traps. */
import asc from 'assemblyscript/asc'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bool,
  columns,
  createEngine,
  type DataType,
  date,
  defineKernel,
  type Engine,
  type Flow,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullable,
  rows,
  schema,
  sum,
  timestamp,
  typeName,
  uint8,
  uint32,
  utf8,
} from '../../src/index.js'
import { refusal } from '../flow/env.js'

/** A module of AssemblyScript's. */
async function compile(source: string, options: readonly string[] = []): Promise<Uint8Array<ArrayBuffer>> {
  let made: Uint8Array<ArrayBuffer> | null = null
  const { error, stderr } = await asc.main(
    ['kernel.ts', '--outFile', 'kernel.wasm', '--runtime', 'minimal', '-O2', ...options],
    {
      readFile: name => (name === 'kernel.ts' ? source : null),
      writeFile(name, contents) {
        if (name === 'kernel.wasm') made = new Uint8Array(contents as Uint8Array)
      },
      listFiles: () => [],
    },
  )
  if (error !== null || made === null) throw new Error(`${error}\n${stderr.toString()}`)
  return made
}

const ALLOCATE = 'export function allocate(byteLength: i32): usize { return heap.alloc(byteLength) }\n'
const SOURCE = `${ALLOCATE}
export function hypot(rows: i32, x: usize, xv: usize, y: usize, yv: usize, out: usize, ov: usize): void {
  for (let i = 0; i < rows; i++) {
    const a = load<f64>(x + 8 * i), b = load<f64>(y + 8 * i)
    store<f64>(out + 8 * i, Math.sqrt(a * a + b * b))
  }
}
// The first that is not null; where both are, null.
export function either(rows: i32, x: usize, xv: usize, y: usize, yv: usize, out: usize, ov: usize): void {
  for (let i = 0; i < rows; i++) {
    const a = (load<u8>(xv + (i >> 3)) >> <u8>(i & 7)) & 1, b = (load<u8>(yv + (i >> 3)) >> <u8>(i & 7)) & 1
    if (a | b) store<i64>(out + 8 * i, load<i64>((a ? x : y) + 8 * i))
    const bit = <u8>1 << <u8>(i & 7), at = ov + (i >> 3)
    store<u8>(at, a | b ? load<u8>(at) | bit : load<u8>(at) & ~bit)
  }
}
export function flip(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void {
  for (let i = 0; i < (rows + 7) >> 3; i++) store<u8>(out + i, ~load<u8>(x + i))
}
// Copies whatever is of so many bytes.
export function same1(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { memory.copy(out, x, rows) }
export function same2(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { memory.copy(out, x, 2 * rows) }
export function same4(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { memory.copy(out, x, 4 * rows) }
export function same8(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { memory.copy(out, x, 8 * rows) }
// Fails of the first value of 13.
export function unlucky(rows: i32, x: usize, xv: usize, out: usize, ov: usize): i32 {
  for (let i = 0; i < rows; i++) {
    const v = load<i32>(x + 4 * i)
    if (v == 13) return i
    store<i32>(out + 4 * i, v)
  }
  return -1
}
export function traps(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void {
  for (let i = 0; i < rows; i++) if (load<f64>(x + 8 * i) == 13) unreachable()
}
export function tells64(rows: i32, x: usize, xv: usize, out: usize, ov: usize): i64 { return 1 }
export function tellsHalf(rows: i32, x: usize, xv: usize, out: usize, ov: usize): f64 { return 0.5 }
export function asserts(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { assert(rows < 0) }
export function few(rows: i32): void {}
// Allocates at every call.
export function greedy(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void {
  const copy = heap.alloc(8 * rows)
  memory.copy(copy, x, 8 * rows)
  memory.copy(out, copy, 8 * rows)
}
`

const lanesList = [0, 1, 2, 3]
const engines: Engine[] = []
let wasm: Uint8Array<ArrayBuffer>
beforeAll(async () => {
  wasm = await compile(SOURCE)
  for (const lanes of lanesList) engines.push(await createEngine({ lanes }))
}, 60_000)
afterAll(() => Promise.all(engines.map(engine => engine.close())))

const everywhere = async (flow: Flow<any>): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const [first, ...others] = await Promise.all(
    engines.map(async engine => (await flow.collect({ engine })).toRows({ bigint: true })),
  )
  for (const other of others) expect(other).toEqual(first)
  return first
}

describe('defineKernel', () => {
  it('gives a function of expressions, in any verb, over many morsels', async () => {
    const hypot = await defineKernel({ wasm, export: 'hypot', inputs: [float64(), float64()], output: float64() })
    const size = 200_000
    const flow = columns({
      x: Float64Array.from({ length: size }, (_, i) => i % 1001),
      y: Int32Array.from({ length: size }, (_, i) => i % 77),
    })
    const made = flow
      .derive(t => ({ h: hypot(t.x, t.y), k: hypot(3, 4), twice: hypot(t.x.mul(2), t.y.mul(2)) }))
      .filter(t => hypot(t.h, 0).gte(500))
    expect(typeName(made.schema?.h as DataType)).toBe('float64')
    const found = await everywhere(made)
    const expected: unknown[] = []
    for (let i = 0; i < size; i++) {
      const [x, y] = [i % 1001, i % 77]
      const h = Math.sqrt(x * x + y * y)
      if (Math.sqrt(h * h) >= 500) expected.push({ x, y, h, k: 5, twice: 2 * h })
    }
    expect(found.length).toBe(expected.length)
    for (const [i, row] of found.entries()) {
      const { twice, ...rest } = row
      const { twice: wanted, ...others } = expected[i] as { twice: number }
      if (JSON.stringify(rest) !== JSON.stringify(others)) expect(rest).toEqual(others)
      expect(Math.abs((twice as number) - wanted) <= wanted * 1e-15).toBe(true)
    }
    const total = await flow.aggregate(t => ({ all: sum(hypot(t.x, 0)) })).collect({ engine: engines[2] })
    expect(total.at(0)?.all).toBe(Array.from({ length: size }, (_, i) => i % 1001).reduce((a, b) => a + b, 0))
    expect(made.explain()).toContain('hypot(x')
  }, 30_000)

  it('has every type come and go as it is, null where an input is', async () => {
    const cases: [DataType, string, fc.Arbitrary<unknown>][] = [
      [int8(), 'same1', fc.integer({ min: -128, max: 127 })],
      [uint8(), 'same1', fc.integer({ min: 0, max: 255 })],
      [int16(), 'same2', fc.integer({ min: -32768, max: 32767 })],
      [int32(), 'same4', fc.integer()],
      [uint32(), 'same4', fc.integer({ min: 0, max: 2 ** 32 - 1 })],
      [int64(), 'same8', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      [float32(), 'same4', fc.float()],
      [float64(), 'same8', fc.double()],
      [date(), 'same4', fc.constantFrom('1969-12-31', '2024-02-29', '1700-01-01')],
      [timestamp('us'), 'same8', fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n })],
    ]
    for (const [type, name, value] of cases) {
      const same = await defineKernel({ wasm, export: name, inputs: [type], output: type })
      const greedy = await defineKernel({ wasm, export: 'greedy', inputs: [float64()], output: float64() })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(value), { maxLength: 200 }), async values => {
          const flow = rows(
            values.map(v => ({ v }) as never),
            schema({ v: nullable(type) }),
          )
          const found = await flow.derive((t: any) => ({ w: same(t.v), z: greedy(1.5) })).collect({ lanes: 0 })
          expect(typeName(found.schema.w as DataType)).toBe(typeName(nullable(type)))
          expect(found.toRows({ bigint: true })).toEqual(
            (await flow.derive((t: any) => ({ w: t.v, z: 1.5 })).collect({ lanes: 0 })).toRows({ bigint: true }),
          )
        }),
        { numRuns: 12, seed: 5 },
      )
    }
    const flip = await defineKernel({ wasm, export: 'flip', inputs: [bool()], output: bool() })
    const flags = columns({ f: Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : i % 3 === 0)) })
    for (const { f, g } of await everywhere(flags.derive(t => ({ g: flip(t.f) }))))
      expect(g).toBe(f === null ? null : !f)
  })

  it('lets a kernel say which rows are null, where its output is nullable', async () => {
    const either = await defineKernel({
      wasm,
      export: 'either',
      inputs: [int64(), int64()],
      output: nullable(int64()),
      name: 'firstOf',
    })
    const cell = fc.record({ x: fc.option(fc.maxSafeInteger()), y: fc.option(fc.maxSafeInteger()) })
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 300 }), async given => {
        const flow = rows(given, schema({ x: nullable(int64()), y: nullable(int64()) }))
        const found = await flow
          .derive(t => ({ z: either(t.x, t.y), none: either(null, null) }))
          .select('z', 'none')
          .collect({ lanes: 0 })
        expect(found.toRows()).toEqual(given.map(({ x, y }) => ({ z: x ?? y, none: null })))
      }),
      { numRuns: 30, seed: 6 },
    )
    expect(
      String(
        columns({ x: [1n] })
          .derive(t => ({ z: either(t.x, 2n) }))
          .explain(),
      ),
    ).toContain('firstOf(x, 2)')
  })

  it('takes modules that allocate nothing, compiled ones, and two of one name side by side', async () => {
    const double = (factor: number) =>
      compile(
        `export function times(rows: i32, x: usize, xv: usize, out: usize, ov: usize): void { for (let i = 0; i < rows; i++) store<f64>(out + 8 * i, ${factor} * load<f64>(x + 8 * i)) }`,
        ['--runtime', 'stub'],
      )
    const [two, three] = [await double(2), await WebAssembly.compile(await double(3))]
    const of = (module: Uint8Array<ArrayBuffer> | WebAssembly.Module) =>
      defineKernel({ wasm: module, export: 'times', inputs: [float64()], output: float64() })
    const [byTwo, byThree] = [await of(two), await of(three)]
    const flow = columns({ x: Float64Array.from({ length: 70_000 }, (_, i) => i) })
    const found = await everywhere(
      flow.derive(t => ({ a: byTwo(t.x), b: byThree(t.x), c: byTwo(t.x).add(1) })).limit(3, 69_000),
    )
    expect(found).toEqual([69_000, 69_001, 69_002].map(x => ({ x, a: 2 * x, b: 3 * x, c: 2 * x + 1 })))
  }, 60_000)

  it('tells the row that a kernel has no value for, and where one traps, and works afterwards', async () => {
    const unlucky = await defineKernel({ wasm, export: 'unlucky', inputs: [int32()], output: int32() })
    const size = 300_000
    const flow = columns({
      v: Int32Array.from({ length: size }, (_, i) => (i === 170_001 || i === 250_000 ? 13 : i + 20)),
    })
    const traps = await defineKernel({ wasm, export: 'traps', inputs: [float64()], output: float64() })
    for (const engine of engines) {
      const error = await refusal(
        () => flow.derive(t => ({ w: unlucky(t.v) })).collect({ engine }),
        'MR_USER_CODE_FAILED',
      )
      expect(error.message).toContain('unlucky(v): the kernel has no value (row 170001 of columns)')
      expect(error.details.row).toBe(170_001)
      const trap = await refusal(() => flow.derive(t => ({ w: traps(t.v) })).collect({ engine }), 'MR_USER_CODE_FAILED')
      expect(trap.message).toContain('the kernel failed on this row or one of those after it: unreachable')
      expect(trap.details.row).toBe(2 * 65_536)
      const kept = flow.filter(t => t.v.ne(13)).derive(t => ({ w: unlucky(t.v) }))
      expect((await kept.collect({ engine })).rowCount).toBe(size - 2)
    }
    const asserts = await defineKernel({ wasm, export: 'asserts', inputs: [float64()], output: float64() })
    const aborted = await refusal(
      () => flow.derive(t => ({ w: asserts(t.v) })).collect({ lanes: 0 }),
      'MR_USER_CODE_FAILED',
    )
    expect(aborted.message).toContain('it aborted in line')
    for (const [name, said] of [
      ['tells64', 'it gives 1, which is no i32'],
      ['tellsHalf', 'it gives 0.5, which is no i32'],
    ] as const) {
      const tells = await defineKernel({ wasm, export: name, inputs: [float64()], output: float64() })
      const told = await refusal(
        () => flow.derive(t => ({ w: tells(t.v) })).collect({ lanes: 0 }),
        'MR_USER_CODE_FAILED',
      )
      expect(told.message).toContain(said)
    }
  }, 30_000)

  it('refuses modules of another kind, at once', async () => {
    const define = (more: object) => () =>
      defineKernel({ wasm, export: 'hypot', inputs: [float64(), float64()], output: float64(), ...more } as never)
    expect((await refusal(define({ export: 'hypott' }), 'MR_INVALID_OPTION')).message).toContain('did you mean "hypot"')
    expect((await refusal(define({ export: 'few' }), 'MR_INVALID_OPTION')).message).toContain(
      'takes 1 parameters, not 7',
    )
    expect((await refusal(define({ inputs: [float64()] }), 'MR_INVALID_OPTION')).message).toContain(
      'takes 7 parameters, not 5',
    )
    await refusal(define({ wasm: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0) }), 'MR_USER_CODE_FAILED')
    await refusal(define({ wasm: 5 }), 'MR_TYPE_MISMATCH')
    await refusal(define({ wasm: '/no/such/file.wasm' }), 'MR_SOURCE_FAILED')
    await refusal(define({ wasm: new Response('', { status: 404 }) }), 'MR_USER_CODE_FAILED')
    await refusal(define({ inputs: [utf8(), float64()] }), 'MR_TYPE_MISMATCH')
    await refusal(define({ output: 'float64' }), 'MR_TYPE_MISMATCH')
    await refusal(define({ inputs: [] }), 'MR_INVALID_OPTION')
    await refusal(define({ memory: 1 }), 'MR_INVALID_OPTION')
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    await refusal(define({ wasm: empty }), 'MR_INVALID_OPTION')
    const seeded = await compile(
      `${ALLOCATE}export function f(r: i32, x: usize, v: usize, o: usize, w: usize): void { store<f64>(o, Math.random()) }`,
    )
    const foreign = defineKernel({ wasm: seeded, export: 'f', inputs: [float64()], output: float64() })
    expect((await refusal(() => foreign, 'MR_INVALID_OPTION')).message).toContain('imports "env.seed"')
  })

  it('refuses inputs of another type, and another number of them', async () => {
    const hypot = await defineKernel({ wasm, export: 'hypot', inputs: [float64(), float64()], output: float64() })
    const flow = columns({ x: [1], s: ['a'], t: [new Date(0)] })
    await refusal(() => flow.derive(t => ({ h: (hypot as any)(t.x) })), 'MR_TYPE_MISMATCH')
    const wrong = await refusal(() => flow.derive(t => ({ h: hypot(t.x, t.s) })), 'MR_TYPE_MISMATCH')
    expect(wrong.message).toContain('hypot takes float64 as its input 2')
    await refusal(() => flow.derive(t => ({ h: hypot(t.t, 1) })), 'MR_TYPE_MISMATCH')
    await refusal(() => flow.derive(() => ({ h: hypot('a', 1) })), 'MR_TYPE_MISMATCH')
    const same = (name: string, type: DataType): Promise<(value: any) => any> =>
      defineKernel({ wasm, export: name, inputs: [type], output: type })
    const literals: [string, DataType, any[], any[]][] = [
      ['same1', int8(), [127, -128, 5n, -0], [128, -129, 1.5, Number.NaN, true, 300n, 'a']],
      ['same1', uint8(), [0, 255], [-1, 256]],
      ['same4', int32(), [2 ** 31 - 1, -(2 ** 31)], [2 ** 31, 2 ** 40]],
      ['same4', uint32(), [2 ** 32 - 1], [2 ** 32, -1]],
      ['same4', float32(), [0.5, Number.POSITIVE_INFINITY], [0.1, 1e300]],
      ['same8', int64(), [5], [2n ** 63n, 0.5]],
      ['same8', float64(), [0.1, 2n ** 60n], [2n ** 60n + 1n, true]],
      ['same8', timestamp(), [new Date(5)], [5]],
    ]
    for (const [name, type, good, bad] of literals) {
      const call = await same(name, type)
      for (const value of good) {
        const table = await flow.derive(() => ({ y: call(value) })).collect({ lanes: 0 })
        expect((table.at(0) as any).y).toEqual(typeof value === 'bigint' ? Number(value) : value === 0 ? 0 : value)
      }
      for (const value of bad) await refusal(() => flow.derive(() => ({ y: call(value) })), 'MR_TYPE_MISMATCH')
    }
    const flip = await same('flip', bool())
    expect((await flow.derive(() => ({ y: flip(true), n: flip(false) })).collect({ lanes: 0 })).toRows()).toMatchObject(
      [{ y: false, n: true }],
    )
    await refusal(() => flow.derive(() => ({ y: flip(1) })), 'MR_TYPE_MISMATCH')
    const small = await defineKernel({ wasm, export: 'same1', inputs: [int8()], output: int8() })
    await refusal(() => flow.derive(t => ({ h: small(t.x) })), 'MR_TYPE_MISMATCH')
    const flowOfMany = columns({ x: Float64Array.of(1) }).derive(t => ({ h: hypot(t.x, 2) }))
    expect((await flowOfMany.collect({ lanes: 0 })).at(0)?.h).toBe(Math.sqrt(5))
  })
})
