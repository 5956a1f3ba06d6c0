/**
 * UTF-8 to and from JavaScript strings, as dictionaries and builders need it. Which entry a row has is dictionary.ts's business.
 */
// A byte order mark inside data is a character like any other, so it must survive decoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Below this many bytes a loop over ASCII beats a call of the decoder (some 40 against 150 ns for 8 bytes). */
const SHORT_BYTES = 20

/** Bytes `[from, to)` as a string; ill-formed sequences become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT_BYTES) {
    let text = ''
    let i = from
    for (; i < to; i++) {
      const byte = bytes[i]
      if (byte > 127) break
      text += String.fromCharCode(byte)
    }
    if (i === to) return text
  }
  return decoder.decode(bytes.subarray(from, to))
}

/**
 * Writes `text` into `target` from `at` and returns the bytes written: at most 3 for each UTF-16 unit, which must fit.
 * Lone surrogates become U+FFFD.
 */
export function encodeUtf8Into(text: string, target: Uint8Array, at: number): number {
  return encoder.encodeInto(text, at === 0 ? target : target.subarray(at)).written
}

const LONE_SURROGATE = /\p{Surrogate}/gu

/** `text` with every lone surrogate replaced by U+FFFD, as encoding would do. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd')
}
