/** Text of other encodings made UTF-8, which is all that parsers read. That UTF-8 is well-formed they check themselves. */
import { MillraceError, quote } from '../errors.js'

export interface SniffedEncoding {
  /** Null: there is no byte order mark. */
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | null
  /** Bytes of the mark, which are no text. */
  readonly byteLength: number
}

/** Bytes in which a byte order mark shows. */
export const SNIFFED_BYTES = 3

/** What the byte order mark says that `bytes`, the first of an input, begin with. */
export function sniffEncoding(bytes: Uint8Array): SniffedEncoding {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', byteLength: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', byteLength: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', byteLength: 2 }
  return { encoding: null, byteLength: 0 }
}

/**
 * The name by which an encoding's label goes (`latin1` is `windows-1252`).
 * @throws MillraceError `MR_INVALID_OPTION` for one that the runtime does not know.
 */
export function encodingName(label: string): string {
  try {
    return new TextDecoder(label).encoding
  } catch (error) {
    throw new MillraceError(
      'MR_INVALID_OPTION',
      `encoding ${quote(String(label))} is not known; there are utf-8, utf-16le, windows-1252, shift_jis, gb18030 and others, as in the Encoding standard`,
      {},
      error,
    )
  }
}

/** Decoded at a time, so that an error's place is told to within so many bytes. */
const PIECE_BYTES = 16_384

/**
 * `chunks` of text in `encoding`, as UTF-8 without a byte order mark.
 * @param fatal whether what is ill-formed is an error; otherwise it becomes a byte that is no UTF-8, for whoever reads the text to replace and count. So does
 *   U+FFFD itself, which stands for nothing else.
 * @param name of the input, for the error.
 */
export async function* reencode(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
  fatal: boolean,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder(encoding, { fatal })
  let offset = 0
  const decode = (piece: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(piece, { stream })
    } catch (error) {
      throw new MillraceError(
        'MR_FORMAT_ERROR',
        `${quote(name)}: what stands between bytes ${offset} and ${offset + piece.length} is no ${encoding}; give its true encoding, or have it replaced`,
        { file: name, byteOffset: offset },
        error,
      )
    }
  }
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      const piece = chunk.subarray(from, from + PIECE_BYTES)
      const text = decode(piece, true)
      offset += piece.length
      if (text !== '') yield encoded(text)
    }
  }
  const rest = decode(new Uint8Array(0), false)
  if (rest !== '') yield encoded(rest)
}

const encoder = new TextEncoder()

function encoded(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  if (!text.includes('\ufffd')) return bytes
  let to = 0
  for (let from = 0; from < bytes.length; from++) {
    const isReplacement = bytes[from] === 0xef && bytes[from + 1] === 0xbf && bytes[from + 2] === 0xbd
    bytes[to++] = isReplacement ? 0xff : bytes[from]
    if (isReplacement) from += 2
  }
  return bytes.subarray(0, to)
}
