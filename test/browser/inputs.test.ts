/** Inputs in a real browser: its streams, its decompression and its encodings, and URLs of its own. */
import { expect, test } from 'vitest'
import flightsUrl from '../../node_modules/vega-datasets/data/flights-3m.parquet?url'
import { blobSource } from '../../src/formats/blob-source.js'
import { openInput, pinned, readExactly } from '../../src/formats/byte-source.js'
import { openByteStream } from '../../src/formats/byte-stream.js'
import { describeInputs } from '../../src/formats/input.js'
import { refusal } from '../flow/env.js'
import { byteStreamSuite, expectSame, gathered, someBytes } from '../formats/byte-stream.suite.js'

byteStreamSuite()

const services = { baseUrl: document.baseURI, findFiles: null }

test('a string is a URL, relative to the page, and a pattern is none', async () => {
  const [relative, star] = await describeInputs(['a/b.csv', '/*.csv'], services)
  expect(relative).toEqual({ kind: 'url', url: new URL('a/b.csv', document.baseURI).href })
  expect(star).toEqual({ kind: 'url', url: new URL('/*.csv', document.baseURI).href })
})

test('a URL of the page is read by ranges, and from front to end', async () => {
  const whole = new Uint8Array(await (await fetch(flightsUrl)).arrayBuffer())
  const [input] = await describeInputs([flightsUrl], services)
  const source = await openInput(input)
  expect(await source.byteLength()).toBe(whole.length)
  expectSame(await readExactly(source, 1_000_000, 1_200_000), whole.subarray(1_000_000, 1_200_000))
  expectSame(await readExactly(source, whole.length - 8, whole.length), whole.subarray(-8))
  const again = await openInput(structuredClone(await pinned(input, source)))
  expectSame(await readExactly(again, 5, 10), whole.subarray(5, 10))
  expectSame(await gathered(openByteStream(input, null)), whole)
  expectSame(await gathered(openByteStream(input, null, { from: 13_000_000 })), whole.subarray(13_000_000))
})

test('URLs without a server are read, and what they cannot give is refused at once', async () => {
  const content = someBytes(3000)
  const url = URL.createObjectURL(new Blob([content]))
  const source = await openInput({ kind: 'url', url })
  expectSame(await readExactly(source, 100, 200), content.subarray(100, 200))
  expectSame(await gathered(openByteStream({ kind: 'url', url }, null)), content)
  expectSame(await gathered(openByteStream({ kind: 'url', url }, null, { from: 77 })), content.subarray(77))
  URL.revokeObjectURL(url)
  const error = await refusal(() => gathered(openByteStream({ kind: 'url', url }, null)), 'MR_SOURCE_FAILED')
  expect(error.details).toMatchObject({ file: url, attempts: 1 })
  const data = await openInput({ kind: 'url', url: 'data:text/csv,a,b%0A1,2' })
  expect(new TextDecoder().decode(await data.read(2, 9))).toBe('b\n1,2')
})

test('a stream of a Blob that nothing else of the page reaches is read to its end', async () => {
  const content = someBytes(300_000)
  // Collections come now and then: one of these rounds has one at the wrong time.
  for (let i = 0; i < 2000; i++) {
    const source = blobSource(new Blob([content]))
    const bytes = new Uint8Array(content.length)
    expect(await source.readInto?.(bytes, 0)).toBe(content.length)
    await source.close()
  }
})
