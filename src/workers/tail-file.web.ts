/** Browsers have no files that grow. */
import type { TailFiles } from '../sources/live/tail.js'

export const tailFiles: TailFiles | null = null
