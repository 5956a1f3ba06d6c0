/** Bytes in any pieces to lines of text. */

export interface LineSplitter {
  /** The lines that these bytes complete, without their ends, `\n` or `\r\n`. @throws RangeError for a line beyond the most bytes */
  feed(bytes: Uint8Array): string[]
  /** What has come since the last line, as one; it begins anew. */
  flush(): string[]
  /** Forgets it. */
  clear(): void
}

const LF = 10
const CR = 13

/** @param mostBytes of a line */
export function createLineSplitter(mostBytes: number): LineSplitter {
  const decoder = new TextDecoder()
  let parts: Uint8Array[] = []
  let length = 0

  const finished = (last: Uint8Array): string => {
    let bytes = last
    if (parts.length > 0) {
      bytes = new Uint8Array(length + last.length)
      let at = 0
      for (const part of [...parts, last]) {
        bytes.set(part, at)
        at += part.length
      }
      parts = []
      length = 0
    }
    return decoder.decode(bytes[bytes.length - 1] === CR ? bytes.subarray(0, -1) : bytes)
  }

  return {
    feed(bytes) {
      const lines: string[] = []
      let from = 0
      for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
        lines.push(finished(bytes.subarray(from, to)))
        from = to + 1
      }
      if (from < bytes.length) {
        // The caller's buffer may be filled anew.
        parts.push(bytes.slice(from))
        length += bytes.length - from
      }
      if (length > mostBytes) throw new RangeError(`a line has more than ${mostBytes} bytes`)
      return lines
    },
    flush() {
      return length === 0 ? [] : [finished(new Uint8Array(0))]
    },
    clear() {
      parts = []
      length = 0
    },
  }
}
