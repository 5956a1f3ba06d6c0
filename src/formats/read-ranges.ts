/** Several ranges of one input at once: near ones as one request, several requests side by side. */
import { type ByteSource, readExactly } from './byte-source.js'

export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** Ranges closer together than this are fetched as one: a request costs more than these bytes. */
const GAP_BYTES = 32_768
/** But no more than this at once, so that several requests run side by side. */
const FETCH_BYTES = 8 * 2 ** 20

/**
 * The bytes of each range, as views of what was fetched.
 * @param ranges inside the input, in any order.
 * @throws MillraceError as `readExactly` does; the signal's reason.
 */
export async function readRanges(
  source: ByteSource,
  ranges: readonly ByteRange[],
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const order = ranges.map((_, i) => i).sort((a, b) => (ranges[a] as ByteRange).from - (ranges[b] as ByteRange).from)
  const fetches: { from: number; to: number; members: number[] }[] = []
  for (const i of order) {
    const { from, to } = ranges[i] as ByteRange
    const last = fetches.at(-1)
    if (last !== undefined && from - last.to <= GAP_BYTES && to - last.from <= FETCH_BYTES) {
      last.to = Math.max(last.to, to)
      last.members.push(i)
    } else fetches.push({ from, to, members: [i] })
  }
  const read: Uint8Array[] = new Array(ranges.length)
  await Promise.all(
    fetches.map(async ({ from, to, members }) => {
      const bytes = await readExactly(source, from, to, signal)
      for (const i of members) {
        const range = ranges[i] as ByteRange
        read[i] = bytes.subarray(range.from - from, range.to - from)
      }
    }),
  )
  return read
}
