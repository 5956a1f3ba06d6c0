/** Inputs that are not URLs, opened and read at random positions; URLs by url-source.test.ts. */
import { describe, expect, test } from 'vitest'
import {
  type ByteSource,
  openInput,
  readExactly,
  readInto,
  type SequentialDescriptor,
} from '../../src/formats/byte-source.js'
import { inputName } from '../../src/formats/input-name.js'

const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31) & 255)

async function expectContent(source: ByteSource): Promise<void> {
  expect(await source.byteLength()).toBe(5000)
  expect([...(await readExactly(source, 100, 200))]).toEqual([...content.subarray(100, 200)])
  const [head, tail] = await Promise.all([readExactly(source, 0, 7), readExactly(source, 4990, 5000)])
  expect([...head, ...tail]).toEqual([...content.subarray(0, 7), ...content.subarray(4990)])
  expect((await readExactly(source, 50, 50)).length).toBe(0)
  const target = new Uint8Array(20)
  expect(await readInto(source, target, 4990)).toBe(10)
  expect([...target.subarray(0, 10)]).toEqual([...content.subarray(4990)])
  expect(await readInto(source, target, 6000)).toBe(0)
  await source.close()
}

describe('inputs', () => {
  test('are read from memory, from blobs and from what the platform opens', async () => {
    await expectContent(await openInput({ kind: 'bytes', bytes: content }))
    await expectContent(await openInput({ kind: 'blob', blob: new Blob([content]) }))
    const opened: string[] = []
    const openFile = async (path: string) => {
      opened.push(path)
      return openInput({ kind: 'bytes', bytes: content })
    }
    await expectContent(await openInput({ kind: 'path', path: 'a/b' }, openFile))
    // Where there are paths a blob is read in another way.
    await expectContent(await openInput({ kind: 'blob', blob: new Blob([content]) }, openFile))
    expect(opened).toEqual(['a/b'])
  })

  test('that cannot be opened say so', async () => {
    await expect(openInput({ kind: 'path', path: 'a' })).rejects.toMatchObject({
      code: 'MR_INVALID_OPTION',
      details: { file: 'a' },
    })
    for (const [code, told] of [
      ['ENOENT', 'MR_SOURCE_FAILED'],
      ['EACCES', 'MR_SOURCE_FAILED'],
      ['ERR_INVALID_ARG_VALUE', 'MR_INVALID_OPTION'],
    ]) {
      const cause = Object.assign(new Error(`${code}: of the system`), { code })
      const open = async () => {
        throw cause
      }
      await expect(openInput({ kind: 'path', path: 'a' }, open)).rejects.toMatchObject({
        code: told,
        message: `${told}: cannot open "a": ${code}: of the system`,
        details: { file: 'a' },
        cause,
      })
    }
  })

  test('that can be read no more say where', async () => {
    const lost = new File([content], 'a.csv')
    lost.slice = () => {
      throw new DOMException('gone', 'NotReadableError')
    }
    const source = await openInput({ kind: 'blob', blob: lost })
    await expect(source.read(70, 80)).rejects.toMatchObject({
      code: 'MR_SOURCE_FAILED',
      details: { file: 'a.csv', byteOffset: 70 },
    })
  })

  test('that shrink while they are read are an error', async () => {
    const shrunk = await openInput({ kind: 'bytes', bytes: content.subarray(0, 10) })
    await expect(readExactly(shrunk, 5, 20)).rejects.toMatchObject({
      code: 'MR_FORMAT_ERROR',
      details: { byteOffset: 10 },
    })
  })

  test('have names for messages', () => {
    const names = (
      [
        { kind: 'path', path: 'a.parquet' },
        { kind: 'url', url: 'https://example.org/a' },
        { kind: 'blob', blob: new File([content], 'b.parquet') },
        { kind: 'blob', blob: new Blob([content]) },
        { kind: 'bytes', bytes: content },
        { kind: 'stream', stream: new Blob([]).stream(), name: 'a Response' },
      ] satisfies SequentialDescriptor[]
    ).map(inputName)
    expect(names).toEqual([
      'a.parquet',
      'https://example.org/a',
      'b.parquet',
      'a Blob of 5000 bytes',
      '5000 bytes in memory',
      'a Response',
    ])
  })
})
