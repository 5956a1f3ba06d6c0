/** Browsers have no paths. */
import type { FindFiles } from '../formats/input.js'

export const findFiles: FindFiles | null = null
