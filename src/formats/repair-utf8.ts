/** Strings as a format hands them over, made sure to be UTF-8: ill-formed parts are replaced by U+FFFD, and the strings counted. */

export interface Texts {
  /** One more than there are strings, from 0. */
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** The same strings, the same buffers where all are well-formed already; `illFormedCount` of them are not. */
export function repairUtf8(texts: Texts): Texts & { readonly illFormedCount: number } {
  const { offsets, bytes } = texts
  const used = bytes.subarray(offsets[0], offsets[offsets.length - 1])
  if (isAscii(used) || isWellFormed(offsets, bytes, used)) return { ...texts, illFormedCount: 0 }
  const repaired: Uint8Array[] = []
  const newOffsets = new Int32Array(offsets.length)
  let illFormedCount = 0
  let end = 0
  for (let i = 0; i + 1 < offsets.length; i++) {
    let text = bytes.subarray(offsets[i], offsets[i + 1])
    try {
      strict.decode(text)
    } catch {
      text = encoder.encode(lenient.decode(text))
      illFormedCount++
    }
    repaired.push(text)
    end += text.length
    newOffsets[i + 1] = end
  }
  const newBytes = new Uint8Array(end)
  for (const [i, text] of repaired.entries()) newBytes.set(text, newOffsets[i])
  return { offsets: newOffsets, bytes: newBytes, illFormedCount }
}

function isAscii(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let i = 0
  let seen = 0
  for (; i + 4 <= bytes.length; i += 4) seen |= view.getInt32(i, true)
  for (; i < bytes.length; i++) seen |= bytes[i] as number
  return (seen & 0x80808080) === 0
}

/** All strings are, where their concatenation is and none begins in the middle of a character. */
function isWellFormed(offsets: Int32Array, bytes: Uint8Array, used: Uint8Array): boolean {
  try {
    strict.decode(used)
  } catch {
    return false
  }
  for (let i = 0; i + 1 < offsets.length; i++) {
    const start = offsets[i] as number
    if (start < (offsets[i + 1] as number) && ((bytes[start] as number) & 0xc0) === 0x80) return false
  }
  return true
}
