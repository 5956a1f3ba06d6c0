/**
 * Finds and reads the footer of a Parquet file:
 *
 * ```
 *   "PAR1"  column chunks ...  footer (thrift)  its length: uint32  "PAR1"
 * ```
 * What stands in the footer is footer.ts's business.
 */
import { type ByteSource, readExactly } from '../byte-source.js'
import { corrupt, unsupported } from './corrupt.js'
import { type ParquetMetadata, readFooter } from './footer.js'
import { cursorOver } from './thrift.js'

/** Bytes fetched from the end at first: the whole footer of most files, in one request. */
const TAIL_BYTES = 65_536
const MAGIC = 0x31524150 // PAR1
const ENCRYPTED_MAGIC = 0x45524150 // PARE

/** @throws MillraceError `MR_FORMAT_ERROR`, with the byte offset. */
export async function readMetadata(source: ByteSource, signal?: AbortSignal): Promise<ParquetMetadata> {
  const fileLength = await source.byteLength(signal)
  // Two magic words, a length, and a footer that cannot be empty.
  if (fileLength < 13) throw corrupt(`this is no Parquet file: it has ${fileLength} bytes`, 0)
  const tailStart = Math.max(0, fileLength - TAIL_BYTES)
  const tail = await readExactly(source, tailStart, fileLength, signal)
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const magic = view.getUint32(tail.length - 4, true)
  if (magic === ENCRYPTED_MAGIC)
    throw unsupported('the footer is encrypted, which this version does not read; write the file without encryption')
  if (magic !== MAGIC) throw corrupt('this is no whole Parquet file: it does not end with "PAR1"', fileLength - 4)
  const footerLength = view.getUint32(tail.length - 8, true)
  const footerStart = fileLength - 8 - footerLength
  if (footerStart < 4)
    throw corrupt(`the footer claims ${footerLength} of the file's ${fileLength} bytes`, fileLength - 8)
  const footer =
    footerStart >= tailStart
      ? tail.subarray(footerStart - tailStart, tail.length - 8)
      : await readExactly(source, footerStart, fileLength - 8, signal)
  return readFooter(cursorOver(footer, footerStart))
}
