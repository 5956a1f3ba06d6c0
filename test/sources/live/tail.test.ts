/** A file that grows, is renamed and is cut, followed on a clock that tests move. */
import { appendFile, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { float64, int64, schema, tail, utf8 } from '../../../src/index.js'
import { createLineSplitter } from '../../../src/sources/live/lines.js'
import { refusal, until } from '../../flow/env.js'
import { virtualClock } from '../../metrics/virtual-clock.js'

const SHAPE = schema({ id: int64(), text: utf8() })
const inline = { lanes: 0 }
const rowAt = (id: number) => ({ id, text: `é${'x'.repeat(id % 5)}` })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tail-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
const fresh = () => join(folder, `file-${files++}.ndjson`)

function follow(path: string, options: object = {}) {
  const clock = virtualClock(0)
  const rows: any[] = []
  const job = tail(path, { schema: SHAPE, clock, ...options } as any).run(inline)
  const finished = (async () => {
    for await (const batch of job) for (const row of batch) rows.push(row)
  })()
  /** Lets it look at the file, and waits until it sleeps again. */
  const look = async () => {
    await until(() => clock.timers === 1, 20_000)
    await clock.advance(250)
    await until(() => clock.timers === 1, 20_000)
  }
  const stop = async () => {
    job.stop()
    await finished
    await until(() => clock.timers === 0, 20_000)
  }
  return { clock, rows, job, finished, look, stop }
}

const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length

describe('tail', () => {
  it('gives every line once, whatever becomes of the file between looks', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ rows: fc.integer({ min: 1, max: 4 }), cut: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.constantFrom('rotate' as const, 'truncate' as const, 'remove' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.boolean(), async (steps, isThere) => {
        const path = fresh()
        if (isThere) await writeFile(path, '{"id":-1,"text":"old"}\n{"id":-2,')
        const { rows, look, stop } = follow(path)
        await look()
        let next = 0
        // The line that was being written when it began to look is whole in the end.
        let rest = isThere ? '"text":"begun"}\n' : ''
        let expected: object[] = isThere ? [{ id: -2, text: 'begun' }] : []
        for (const each of steps) {
          if (typeof each === 'object') {
            let text = rest
            for (let i = 0; i < each.rows; i++) {
              expected.push(rowAt(next))
              text += `${JSON.stringify(rowAt(next++))}\n`
            }
            const bytes = Buffer.from(text)
            await appendFile(path, bytes.subarray(0, each.cut))
            await look()
            await appendFile(path, bytes.subarray(each.cut))
            rest = ''
          } else {
            await appendFile(path, rest)
            rest = ''
            await look()
            if (each === 'truncate') await truncate(path)
            else if (each === 'rotate') await rename(path, `${path}.1`)
            else await rm(path)
          }
          await look()
        }
        if (rest !== '') expected = []
        await until(() => rows.length >= expected.length, 20_000)
        expect(rows).toEqual(expected)
        await stop()
      }),
      { numRuns: 25 },
    )
  })

  it('reads from the start, a header too, and takes a last line without an end when another file takes its name', async () => {
    const path = fresh()
    await writeFile(path, 'id,text\r\n1,"a,b"\r\n\r\nnot a number,c\r\n2,c')
    const bad: string[] = []
    const { rows, look, stop } = follow(path, {
      from: 'start',
      format: 'csv',
      header: true,
      onBadMessage: ({ data }: { data: string }) => bad.push(data),
    })
    await look()
    await until(() => rows.length === 1, 20_000)
    await rename(path, `${path}.1`)
    await appendFile(`${path}.1`, '!')
    await writeFile(path, 'id,text\n3,d\n')
    await look()
    await until(() => rows.length === 3, 20_000)
    expect(rows).toEqual([
      { id: 1, text: 'a,b' },
      { id: 2, text: 'c!' },
      { id: 3, text: 'd' },
    ])
    expect(bad).toEqual(['not a number,c'])
    await stop()
  })

  it('leaves no file open and no timer, however it ends', async () => {
    const path = fresh()
    await writeFile(path, '')
    const before = await openFiles()
    for (let run = 0; run < 3; run++) {
      const { clock, job, finished, look, stop } = follow(path, { from: 'start' })
      await look()
      if (run === 0) await stop()
      else if (run === 1) await job[Symbol.asyncDispose]()
      else {
        await appendFile(path, '{"id":1,"text":"a"}\n')
        await clock.advance(250)
        const boom = follow(path, {
          from: 'start',
          format: () => 7,
          onBadMessage: () => {
            throw new Error('boom')
          },
        })
        await expect(boom.finished).rejects.toThrow('boom')
        const later = follow(path, {
          from: 'start',
          format: () => 7,
          onBadMessage: async () => {
            throw new Error('later')
          },
        })
        await expect(later.finished).rejects.toThrow('later')
        await job[Symbol.asyncDispose]()
      }
      await finished
      await until(() => clock.timers === 0, 20_000)
    }
    await until(async () => (await openFiles()) <= before, 20_000)
  })

  it('fails of what is no file, and refuses what it cannot do', async () => {
    await refusal(() => tail(folder, { schema: SHAPE, from: 'start' }).collect(inline), 'MR_SOURCE_FAILED')
    await refusal(() => tail('', { schema: SHAPE }), 'MR_INVALID_OPTION')
    await refusal(() => tail('x', { schema: SHAPE, from: 'middle' as never }), 'MR_INVALID_OPTION')
    await refusal(() => tail('x', { schema: SHAPE, every: 0 }), 'MR_INVALID_OPTION')
    await refusal(() => tail('x', { schema: SHAPE, follow: true } as never), 'MR_INVALID_OPTION')
  })

  it('reads on at speed, and no faster than rows are taken', async () => {
    const path = fresh()
    const shape = schema({ id: int64(), price: float64() })
    const lines = Array.from({ length: 50_000 }, (_, id) => JSON.stringify({ id, price: id / 4 }))
    await writeFile(path, `${lines.join('\n')}\n`)
    const table = await tail(path, { schema: shape, from: 'start', capacity: 1000 }).limit(50_000).collect(inline)
    expect(table.column('id').toArray()).toEqual(Float64Array.from(lines, (_, id) => id))
  })
})

describe('lines', () => {
  it('are the same whatever pieces they come in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\r', 'bc'), { maxLength: 30 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (tokens, cuts) => {
          const bytes = new TextEncoder().encode(tokens.join(''))
          const splitter = createLineSplitter(1000)
          const places = [...cuts.map(cut => Math.min(cut, bytes.length))].sort((a, b) => a - b)
          const found = [0, ...places].flatMap((from, i) => splitter.feed(bytes.slice(from, places[i] ?? bytes.length)))
          const whole = tokens.join('').split('\n')
          const last = whole.pop() as string
          const plain = (line: string) => line.replace(/\r$/, '')
          expect(found).toEqual(whole.map(plain))
          expect(splitter.flush()).toEqual(last === '' ? [] : [plain(last)])
          expect(splitter.flush()).toEqual([])
        },
      ),
    )
  })

  it('are refused beyond a length', () => {
    const splitter = createLineSplitter(4)
    expect(splitter.feed(new TextEncoder().encode('ab\ncd'))).toEqual(['ab'])
    expect(() => splitter.feed(new TextEncoder().encode('efg'))).toThrow(RangeError)
  })
})
