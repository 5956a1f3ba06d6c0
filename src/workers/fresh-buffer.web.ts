/** Browsers clear the memory of every buffer. */
export const freshBuffer: ((byteLength: number) => ArrayBuffer) | null = null
