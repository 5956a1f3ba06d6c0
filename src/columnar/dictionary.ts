/**
 * The distinct strings behind a column of codes. A dictionary only grows: an entry never moves or changes, so codes stay good.
 * Two dictionaries may hold equal strings under different codes; values count, never codes.
 *
 * ```
 * offsets  Int32Array   [0, 3, 6, ...]      entry c is bytes[offsets[c] .. offsets[c + 1])
 * bytes    Uint8Array   "ATLORD..."         UTF-8
 * ```
 */
const decoder = new TextDecoder()

export class Dictionary {
  private count = 0
  private offsetsBuffer = new Int32Array(64)
  private bytesBuffer = new Uint8Array(512)
  private readonly decoded: (string | undefined)[] = []

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

  /** Adds entries given as `offsets` (one more than entries, any base) into `bytes`; their codes follow on from `length`. Copies. */
  append(offsets: Int32Array, bytes: Uint8Array): void {
    const added = offsets.length - 1
    const from = offsets[0] as number
    const byteLength = (offsets[added] as number) - from
    const end = this.offsetsBuffer[this.count] as number
    this.offsetsBuffer = grown(this.offsetsBuffer, this.count + added + 1, Int32Array)
    this.bytesBuffer = grown(this.bytesBuffer, end + byteLength, Uint8Array)
    this.bytesBuffer.set(bytes.subarray(from, from + byteLength), end)
    for (let i = 1; i <= added; i++) this.offsetsBuffer[this.count + i] = (offsets[i] as number) - from + end
    this.count += added
  }

  /** Entry `code` as a string, decoded once. */
  get(code: number): string {
    let text = this.decoded[code]
    if (text === undefined) {
      text = decoder.decode(this.bytesBuffer.subarray(this.offsetsBuffer[code], this.offsetsBuffer[code + 1]))
      this.decoded[code] = text
    }
    return text
  }
}

function grown<T extends Int32Array | Uint8Array>(buffer: T, least: number, make: new (length: number) => T): T {
  if (buffer.length >= least) return buffer
  const larger = new make(Math.max(least, buffer.length * 2))
  larger.set(buffer as never)
  return larger
}
