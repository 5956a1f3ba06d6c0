/**
 * The published worker file (`millrace/worker.js`), for pages whose policy forbids blob URLs: it holds the extensions, so that it may be
 * served alone and under any name, and nothing is evaluated from text. worker-entry.ts is the inlined one.
 */
import { MillraceError } from '../errors.js'
import { serveLane } from './serve-lane.js'

serveLane(name => {
  if (name === 'parquet') return import('../formats/parquet/lane-extension.js')
  throw new MillraceError(
    'MR_VERSION_MISMATCH',
    `this worker file knows no extension ${name}; serve the worker.js that came with the library`,
  )
})
