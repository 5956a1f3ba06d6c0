/**
 * UTF-8 to and from JavaScript strings, as dictionaries and builders need it. Which entry a row has is dictionary.ts's
 * business.
 */
// A byte order mark inside data is a character like any other, so it must survive decoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * Up to this length a loop over characters beats a call of the encoder, the decoder or a pattern: some 40 against 150
 * ns for 8 of them.
 */
const SHORT = 20

/** Bytes `[from, to)` as a string; ill-formed sequences become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT) {
    let text = ''
    let i = from
    for (; i < to && bytes[i] < 128; i++) text += String.fromCharCode(bytes[i])
    if (i === to) return text
  }
  return decoder.decode(bytes.subarray(from, to))
}

/**
 * Writes `text` into `target` from `at` and returns the bytes written: at most 3 for each UTF-16 unit, which must fit.
 * Lone surrogates become U+FFFD.
 */
export function encodeUtf8Into(text: string, target: Uint8Array, at: number): number {
  if (text.length <= SHORT) {
    let i = 0
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 127) break
      target[at + i] = unit
    }
    if (i === text.length) return i
  }
  return encoder.encodeInto(text, target.subarray(at)).written
}

const LONE_SURROGATE = /\p{Surrogate}/gu

/** `text` with every lone surrogate replaced by U+FFFD, as encoding would do. */
export function wellFormed(text: string): string {
  if (text.length <= SHORT && !hasSurrogate(text)) return text
  // Of ES2024, and a quarter of the time that a pattern takes.
  const known = text as { toWellFormed?(): string }
  return known.toWellFormed?.() ?? text.replace(LONE_SURROGATE, '\ufffd')
}

function hasSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return true
  return false
}
