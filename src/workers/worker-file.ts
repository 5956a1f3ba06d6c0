/**
 * The published worker file (`millrace/worker.js`), for pages whose policy forbids blob URLs: it holds all parts, so that it may be
 * served alone and under any name, and nothing is evaluated from text. worker-entry.ts is the inlined one.
 */
import { MillraceError } from '../errors.js'
import { serveLane } from './serve-lane.js'

serveLane(name => {
  switch (name) {
    case 'evaluate':
      return import('../operators/evaluate.js')
    case 'numbers':
      return import('../operators/functions/numbers.js')
    case 'strings':
      return import('../operators/functions/strings.js')
    case 'times':
      return import('../operators/functions/times.js')
    case 'conditions':
      return import('../operators/functions/conditions.js')
    case 'casts':
      return import('../operators/functions/casts.js')
    case 'userKernels':
      return import('../operators/functions/user-kernels.js')
    case 'hashes':
      return import('../operators/functions/hashes.js')
    case 'text':
      return import('../kernels/text.js')
    case 'integers':
      return import('../kernels/aggregate/sum-int.js')
    case 'extremes':
      return import('../kernels/aggregate/min-max.js')
    case 'aggregates':
      return import('../kernels/aggregate/families.js')
    case 'partitions':
      return import('./partitions.js')
    case 'sets':
      return import('../operators/grouping-sets.js')
    case 'windows':
      return import('../operators/window-groups.js')
    case 'windowParts':
      return import('./lane-windows.js')
    case 'carried':
      return import('../operators/carried-texts.js')
    case 'over':
      return import('../operators/over.js')
    case 'shapes':
      return import('../operators/shapes-part.js')
    case 'spill':
      return import('./spill.js')
    case 'joins':
      return import('../operators/joins-part.js')
    case 'userCode':
      return import('../operators/user-code.js')
    case 'parquet':
      return import('../formats/parquet/lane-extension.js')
    case 'csv':
      return import('../kernels/csv.js')
    case 'json':
      return import('../kernels/json.js')
    case 'files':
      return import('../formats/text-files.js')
    case 'arrow':
      return import('../formats/arrow/lane-extension.js')
  }
  throw new MillraceError(
    'MR_VERSION_MISMATCH',
    `this worker file knows no part ${name}; serve the worker.js that came with the library`,
  )
})
