/** Browsers have no paths to write to: `#write-file` is this there, and write-file.node.ts in Node. */
import type { CreateFile } from '../sinks/sink.js'

export const createFile: CreateFile | null = null
