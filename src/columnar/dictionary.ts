/**
 * The distinct strings behind a column of codes. A dictionary only grows: an entry never moves or changes, so codes
 * stay good. Two dictionaries may hold equal strings under different codes; values count, never codes.
 *
 * ```
 * offsets  Int32Array   [0, 3, 6, ...]      entry c is bytes[offsets[c] .. offsets[c + 1])
 * bytes    Uint8Array   "ATLORD..."         UTF-8
 * ```
 * What a user passes to `columns()` is the `DictionaryInput` of dictionary-input.ts.
 */
import { MillraceError } from '../errors.js'
import { decodeUtf8, encodeUtf8Into } from './utf8.js'

export class Dictionary {
  private count = 0
  private offsetsBuffer: Int32Array = new Int32Array(64)
  private bytesBuffer: Uint8Array = new Uint8Array(512)
  private readonly decoded: (string | undefined)[] = []
  /** Made for one batch alone, and grows no more: whoever sends it on need not remember that it was sent. */
  isOfOneBatch = false
  /** No entry comes twice: a lane's own, which need not be looked up by whoever takes all of it. */
  isDistinct = false
  /** Of what a lane's dictionary looks like here: the lane dictionary's number, which no other of that thread has. */
  laneId: number | null = null

  /**
   * A dictionary over `offsets` and `bytes` themselves, not copies: the caller gives them up. `offsets[0]` is 0 and
   * there is one offset more than entries.
   */
  static adopt(offsets: Int32Array, bytes: Uint8Array): Dictionary {
    const dictionary = new Dictionary()
    dictionary.count = offsets.length - 1
    dictionary.offsetsBuffer = offsets
    dictionary.bytesBuffer = bytes
    return dictionary
  }

  /** Entries so far. */
  get length(): number {
    return this.count
  }

  /** `length + 1` offsets, a view that the next `append` may leave behind. */
  get offsets(): Int32Array {
    return this.offsetsBuffer.subarray(0, this.count + 1)
  }

  /** All entries' bytes, end to end, a view that the next `append` may leave behind. */
  get bytes(): Uint8Array {
    return this.bytesBuffer.subarray(0, this.offsetsBuffer[this.count])
  }

  get byteLength(): number {
    return this.offsetsBuffer[this.count]
  }

  /**
   * Adds entries given as `offsets` (one more than entries, any base) into `bytes`; their codes follow on from
   * `length`. Copies.
   * @throws MillraceError `MR_MEMORY_LIMIT` where the bytes would outgrow 32-bit offsets.
   */
  append(offsets: Int32Array, bytes: Uint8Array): void {
    const added = offsets.length - 1
    const from = offsets[0]
    const byteLength = offsets[added] - from
    const end = this.byteLength
    this.reserve(added, byteLength)
    this.bytesBuffer.set(bytes.subarray(from, from + byteLength), end)
    // Offsets that need no shift, as those of a first delivery, are copied in bulk.
    this.offsetsBuffer.set(shifted(offsets.subarray(1), end - from), this.count + 1)
    this.count += added
  }

  /**
   * Adds `text` as a new entry, whether or not an equal one exists (`TextInterner` is what looks for it), and returns
   * its code. `text` must have no lone surrogates.
   * @throws MillraceError `MR_MEMORY_LIMIT` where the bytes would outgrow 32-bit offsets.
   */
  add(text: string): number {
    const end = this.byteLength
    this.reserve(1, text.length * 3)
    const code = this.count++
    this.offsetsBuffer[this.count] = end + encodeUtf8Into(text, this.bytesBuffer, end)
    this.decoded[code] = text
    return code
  }

  /** Entry `code` as a string, decoded once. */
  get(code: number): string {
    let text = this.decoded[code]
    if (text === undefined) {
      text = decodeUtf8(this.bytesBuffer, this.offsetsBuffer[code], this.offsetsBuffer[code + 1])
      this.decoded[code] = text
    }
    return text
  }

  /** All entries as strings: a whole dictionary of plain letters is decoded at once, which takes a tenth of the time. */
  strings(): readonly string[] {
    const { decoded, count, offsetsBuffer } = this
    let missing = 0
    for (let code = 0; code < count; code++) if (decoded[code] === undefined) missing++
    if (missing * 2 > count) {
      const text = decodeUtf8(this.bytesBuffer, 0, this.byteLength)
      // As many characters as bytes: each is one byte, and offsets into the bytes are offsets into the text.
      if (text.length === this.byteLength) {
        for (let code = 0; code < count; code++)
          decoded[code] ??= text.slice(offsetsBuffer[code], offsetsBuffer[code + 1])
      }
    }
    for (let code = 0; code < count; code++) this.get(code)
    return decoded as string[]
  }

  /** Makes room for so many more. @throws MillraceError as `add` does */
  reserve(entries: number, byteLength: number): void {
    const bytes = this.byteLength + byteLength
    if (bytes > MAXIMUM_BYTES) {
      throw new MillraceError(
        'MR_MEMORY_LIMIT',
        `dictionary: ${bytes} bytes of distinct strings in one column exceed the ${MAXIMUM_BYTES} that 32-bit offsets reach; read fewer rows at a time`,
        { bytes, maximumBytes: MAXIMUM_BYTES },
      )
    }
    this.offsetsBuffer = grown(this.offsetsBuffer, this.count + entries + 1, Int32Array)
    this.bytesBuffer = grown(this.bytesBuffer, bytes, Uint8Array)
  }
}

const MAXIMUM_BYTES = 2 ** 31 - 1

function grown<T extends Int32Array | Uint8Array>(buffer: T, least: number, make: new (length: number) => T): T {
  if (buffer.length >= least) return buffer
  const larger = new make(Math.max(least, buffer.length * 2))
  larger.set(buffer as never)
  return larger
}

/** `offsets` with `shift` added; the very same where that is 0. */
export function shifted(offsets: Int32Array, shift: number): Int32Array {
  if (shift === 0) return offsets
  const moved = new Int32Array(offsets.length)
  for (let i = 0; i < moved.length; i++) moved[i] = offsets[i] + shift
  return moved
}
