// The file of a job in Node.js: it has no name for longer than it takes to open it, and gives back what it was given.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spillPlatform } from '../../src/workers/spill-file.node.js'
import { expectSame } from '../arrays.js'
import { thrown } from '../operators/support.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spill-'))
})
afterAll(() => rm(folder, { recursive: true }))

const bytes = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => first + i)

describe("a job's file", () => {
  it('appends, reads from anywhere, and is nowhere to be seen', async () => {
    const file = spillPlatform.openJobFile(folder)
    expect(await file.ready()).toBeNull()
    expect(await readdir(folder)).toEqual([])
    expect(file.write(bytes(10))).toBe(0)
    expect(file.write(bytes(0))).toBe(10)
    expect(file.write(bytes(100, 50).subarray(20, 70))).toBe(10)
    expect(await readdir(folder)).toEqual([])
    expect(file.read(2, 5)).toEqual(bytes(5, 2))
    expect(file.read(8, 4)).toEqual(Uint8Array.of(8, 9, 70, 71))
    expect(file.read(60, 0)).toEqual(bytes(0))
    await file.close()
    await file.close()
    expect(await readdir(folder)).toEqual([])
  })

  it('that is read beyond its end, or after it was closed, is an error and no hang', async () => {
    const file = spillPlatform.openJobFile(folder)
    file.write(bytes(10))
    const error = thrown(() => file.read(5, 10)) as Error
    expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
    expect(error.message).toContain('the file ends after 10 bytes')
    await file.close()
    expect(thrown(() => file.read(0, 1))).toMatchObject({ code: 'MR_MEMORY_LIMIT' })
  })

  it('in a folder that is not there says which', async () => {
    const file = spillPlatform.openJobFile(join(folder, 'none'))
    const asks = [
      [100_000, () => file.write(bytes(100_000))],
      [1, () => file.read(file.write(bytes(1)), 1)],
    ] as const
    for (const [requestedBytes, ask] of asks) {
      const error = thrown(ask) as Error
      expect(error).toMatchObject({ code: 'MR_MEMORY_LIMIT', details: { byteOffset: 0, requestedBytes } })
      expect(error.message).toContain(join(folder, 'none'))
    }
    await file.close()
  })

  it('gives back pieces of any length, be they written yet or not', async () => {
    const file = spillPlatform.openJobFile(folder)
    const pieces = new Map<number, Uint8Array>()
    let end = 0
    for (const [i, length] of [7, 65_536, 0, 65_529, 1, 200_000, 3, 65_537, 40_000, 40_000, 5].entries()) {
      const piece = bytes(length, 17 * i)
      expect(file.write(piece)).toBe(end)
      pieces.set(end, piece)
      end += length
      if (i % 3 === 2) for (const [from, each] of pieces) expectSame(file.read(from, each.length), each)
    }
    expectSame(file.read(0, end), Uint8Array.from([...pieces.values()].flatMap(each => [...each])))
    await file.close()
  })
})
