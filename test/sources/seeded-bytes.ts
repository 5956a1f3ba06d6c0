/** Random bytes by a seed (SFC32), in the place of a secure generator's. */
import type { RandomBytes } from '../../src/sources/discrete-noise.js'

export function seededBytes(seed: number): RandomBytes {
  let [a, b, c, d] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88, 1]
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 20; i++) next()
  return bytes => {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    for (let i = 0; i < words.length; i++) words[i] = next()
  }
}
