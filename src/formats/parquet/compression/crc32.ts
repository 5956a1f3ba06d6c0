/** CRC-32 as in gzip and zip (polynomial 0xEDB88320), eight bytes a turn: Intel's slicing-by-8. */

let tables: Int32Array | null = null

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
    made[i] = crc
  }
  for (let i = 256; i < made.length; i++) {
    const last = made[i - 256] as number
    made[i] = (last >>> 8) ^ (made[last & 255] as number)
  }
  return made
}

/** The checksum as a signed 32-bit number, as Parquet's page headers hold it. */
export function crc32(bytes: Uint8Array): number {
  tables ??= makeTables()
  const t = tables
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let i = 0
  for (; i + 8 <= bytes.length; i += 8) {
    const low = view.getInt32(i, true) ^ crc
    const high = view.getInt32(i + 4, true)
    crc =
      (t[1792 + (low & 255)] as number) ^
      (t[1536 + ((low >>> 8) & 255)] as number) ^
      (t[1280 + ((low >>> 16) & 255)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (high & 255)] as number) ^
      (t[512 + ((high >>> 8) & 255)] as number) ^
      (t[256 + ((high >>> 16) & 255)] as number) ^
      (t[high >>> 24] as number)
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[i] as number)) & 255] as number)
  return ~crc
}
