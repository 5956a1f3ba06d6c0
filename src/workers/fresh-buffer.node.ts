/** Node.js clears no memory of a buffer that is asked for in this way, which takes as long as filling it. */
import { Buffer } from 'node:buffer'

export const freshBuffer: ((byteLength: number) => ArrayBuffer) | null = byteLength =>
  Buffer.allocUnsafeSlow(byteLength).buffer
