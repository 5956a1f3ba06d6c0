/** What users give as an input, made into descriptors. */
import { expect, test } from 'vitest'
import type { InputDescriptor } from '../../src/formats/byte-source.js'
import { describeInputs, type Input, keptInputs } from '../../src/formats/input.js'
import { arrow, csv, type Flow, json, ndjson, parquet } from '../../src/index.js'
import { refusal } from '../flow/env.js'

const describeInput = async (input: Input, baseUrl: string | null): Promise<InputDescriptor> =>
  (await describeInputs([input], { baseUrl, findFiles: null }))[0] as InputDescriptor

const bytesOf = async (input: Input): Promise<number[]> => {
  const described = await describeInput(input, null)
  if (described.kind !== 'blob') throw new Error(described.kind)
  return [...new Uint8Array(await described.blob.arrayBuffer())]
}

test('strings are paths where there are paths, URLs where they have a scheme or a base', async () => {
  expect(await describeInput('data/a b.parquet', null)).toEqual({ kind: 'path', path: 'data/a b.parquet' })
  expect(await describeInput('C:\\data\\a.parquet', null)).toEqual({ kind: 'path', path: 'C:\\data\\a.parquet' })
  expect(await describeInput('https://example.org/a', null)).toEqual({ kind: 'url', url: 'https://example.org/a' })
  expect(await describeInput('../a b.parquet', 'https://example.org/x/y/z')).toEqual({
    kind: 'url',
    url: 'https://example.org/x/a%20b.parquet',
  })
})

test('file URLs are paths in Node', async () => {
  expect(await describeInput(new URL('file:///tmp/a%20b.parquet'), null)).toEqual({
    kind: 'path',
    path: '/tmp/a b.parquet',
  })
  expect(await describeInput('file:///C:/a.parquet', null)).toEqual({ kind: 'path', path: 'C:/a.parquet' })
  expect(await describeInput(new URL('https://example.org/a'), null)).toEqual({
    kind: 'url',
    url: 'https://example.org/a',
  })
})

test('blob URLs are their blobs in Node', async () => {
  const url = URL.createObjectURL(new Blob([Uint8Array.of(1, 2, 3)]))
  expect(await bytesOf(url)).toEqual([1, 2, 3])
  expect(await bytesOf(new URL(url))).toEqual([1, 2, 3])
  URL.revokeObjectURL(url)
  const error = await refusal(() => describeInput(url, null), 'MR_SOURCE_FAILED')
  expect(error.details).toMatchObject({ file: url })
})

test('bytes, blobs, responses and streams become blobs, and bytes stay the caller’s', async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4)
  expect(await bytesOf(bytes.subarray(1, 3))).toEqual([2, 3])
  expect(await bytesOf(bytes.buffer)).toEqual([1, 2, 3, 4])
  expect(await bytesOf(new DataView(bytes.buffer, 2))).toEqual([3, 4])
  expect(await bytesOf(new Response(bytes))).toEqual([1, 2, 3, 4])
  expect(await bytesOf(new Blob([bytes]).stream())).toEqual([1, 2, 3, 4])
  expect(await bytesOf({ text: 'aé' })).toEqual([97, 0xc3, 0xa9])
  expect(
    await bytesOf(
      (async function* () {
        yield bytes
        yield bytes.subarray(1)
      })(),
    ),
  ).toEqual([1, 2, 3, 4, 2, 3, 4])
  expect(bytes.length).toBe(4)
  const file = new File([bytes], 'a.parquet')
  expect(await describeInput(file, null)).toEqual({ kind: 'blob', blob: file })
})

test('a body that was read already is refused', async () => {
  const response = new Response('x')
  await response.text()
  await expect(describeInput(response, null)).rejects.toMatchObject({ code: 'MR_SOURCE_CONSUMED' })
  const stream = new Blob(['x']).stream()
  stream.getReader()
  await expect(describeInput(stream, null)).rejects.toMatchObject({ code: 'MR_SOURCE_CONSUMED' })
})

test('bytes that were transferred are refused', async () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const views = [bytes, bytes.buffer, new DataView(bytes.buffer)]
  structuredClone(bytes, { transfer: [bytes.buffer] })
  for (const view of views) await refusal(() => describeInput(view, null), 'MR_SOURCE_CONSUMED')
  async function* chunks() {
    yield bytes
  }
  await refusal(() => describeInput(chunks(), null), 'MR_SOURCE_CONSUMED')
})

test('a failed response, and what is no input, are refused', async () => {
  await expect(describeInput(new Response('', { status: 404 }), null)).rejects.toThrow('status 404')
  for (const wrong of [null, undefined, 5, {}, []]) {
    await expect(describeInput(wrong as never, null)).rejects.toMatchObject({ code: 'MR_INVALID_OPTION' })
  }
  await expect(describeInput('http://', null)).rejects.toMatchObject({ code: 'MR_INVALID_OPTION' })
  const error = await refusal(() => describeInput('ftp://example.org/a.csv', null), 'MR_INVALID_OPTION')
  expect(error.message).toContain('http: https: data: blob: file:')
})

test('what refuses an input says who was given it', async () => {
  const services = { baseUrl: null, findFiles: null }
  for (const input of [{}, 'http://', new Response('', { status: 404 })] as Input[]) {
    for (const refused of [
      () => describeInputs([input], services, { verb: 'csv' }),
      () => keptInputs([input], 'csv')(services),
    ]) {
      const error = await refusal(refused, 'MR_INVALID_OPTION')
      expect(error.message).toContain('MR_INVALID_OPTION: csv: ')
      expect(error.details).toMatchObject({ operator: 'csv' })
    }
  }
  for (const make of [csv, ndjson, json, parquet, arrow] as ((input: never) => Flow<any>)[]) {
    const error = await refusal(() => make({} as never).collect({ lanes: 0 }), 'MR_INVALID_OPTION')
    expect(error.message).toContain(`: ${make.name}: an input is a path`)
  }
})

test('a job that has been aborted begins to read nothing that can be read but once', async () => {
  const stream = new Blob(['x']).stream()
  const describe = keptInputs([stream])
  const services = { baseUrl: null, findFiles: null }
  await expect(describe(services, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  expect(stream.locked).toBe(false)
  expect(await describe(services)).toHaveLength(1)
})

test('a pattern stands for its files, in the place where it is', async () => {
  const findFiles = async (path: string) => (path.includes('*') ? ['a/1.csv', 'a/2.csv'] : [path])
  const described = await describeInputs(['x.csv', 'a/*.csv', { text: 'y' }, 'https://example.org/*'], {
    baseUrl: null,
    findFiles,
  })
  expect(
    described.map(each => (each.kind === 'path' ? each.path : each.kind === 'url' ? each.url : each.kind)),
  ).toEqual(['x.csv', 'a/1.csv', 'a/2.csv', 'blob', 'https://example.org/*'])
})

test('what can be read once is kept for the next terminal, and files are looked up again', async () => {
  let files = ['1']
  const services = { baseUrl: null, findFiles: async () => files }
  const describe = keptInputs(['*', new Response('abc'), new Blob(['x'])])
  const first = await describe(services)
  files = ['1', '2']
  const second = await describe(services)
  expect([first.length, second.length]).toEqual([3, 4])
  expect(second.slice(2)).toEqual(first.slice(1))
  expect(second[2]).toBe(first[1])
  const failing = keptInputs(['*'])
  await expect(failing({ baseUrl: null, findFiles: async () => Promise.reject(new Error('none')) })).rejects.toThrow(
    'none',
  )
  expect(await failing(services)).toHaveLength(2)
})
