// The inlined worker and the parts that it is sent later, as texts: what they share is in the worker's alone, which leaves it where parts find it.

import { join } from 'node:path'
import { root } from './build-kernels.mjs'

const pathOf = path => join(root, path).replaceAll('\\', '/')

/** The worker, and its parts by name (`LaneParts` of src/workers/lane.ts). The readers of formats are texts of their own. */
export const workerEntries = {
  worker: pathOf('src/workers/worker-entry.ts'),
  evaluate: pathOf('src/operators/evaluate.ts'),
  text: pathOf('src/kernels/text.ts'),
  integers: pathOf('src/kernels/aggregate/sum-int.ts'),
  extremes: pathOf('src/kernels/aggregate/min-max.ts'),
  aggregates: pathOf('src/kernels/aggregate/families.ts'),
  numbers: pathOf('src/operators/functions/numbers.ts'),
  strings: pathOf('src/operators/functions/strings.ts'),
  times: pathOf('src/operators/functions/times.ts'),
  conditions: pathOf('src/operators/functions/conditions.ts'),
  casts: pathOf('src/operators/functions/casts.ts'),
  hashes: pathOf('src/operators/functions/hashes.ts'),
  userKernels: pathOf('src/operators/functions/user-kernels.ts'),
  partitions: pathOf('src/workers/partitions.ts'),
  sets: pathOf('src/operators/grouping-sets.ts'),
  windows: pathOf('src/operators/window-groups.ts'),
  windowParts: pathOf('src/workers/lane-windows.ts'),
  carried: pathOf('src/operators/carried-texts.ts'),
  over: pathOf('src/operators/over.ts'),
  shapes: pathOf('src/operators/shapes-part.ts'),
  spill: pathOf('src/workers/spill.ts'),
  joins: pathOf('src/operators/joins-part.ts'),
  userCode: pathOf('src/operators/user-code.ts'),
  csv: pathOf('src/kernels/csv.ts'),
  json: pathOf('src/kernels/json.ts'),
  files: pathOf('src/formats/text-files.ts'),
}

const [worker, ...parts] = Object.values(workerEntries)

/**
 * How a bundle of all entries is split: a chunk for each part of what nobody else needs, and one of all else.
 *
 * @returns {import('vite').Rolldown.CodeSplittingOptions}
 */
export function workerSplitting() {
  let own = null
  const name = (id, context) => {
    own ??= sharedModules(path => context.getModuleInfo(path)?.importedIds ?? [])
    return own.has(id) && !parts.includes(id) ? 'shared' : null
  }
  return { groups: [{ debugName: 'worker', name }] }
}

function sharedModules(importsOf) {
  const shared = closure(worker, importsOf)
  const reached = parts.map(path => closure(path, importsOf))
  for (const id of reached.flatMap(ids => [...ids])) if (reached.filter(ids => ids.has(id)).length > 1) shared.add(id)
  return shared
}

function closure(from, importsOf) {
  const reached = new Set([from])
  for (const path of reached) for (const next of importsOf(path)) reached.add(next)
  return reached
}

/** The texts of the chunks of such a bundle. */
export function splitTexts(chunks) {
  const codeOf = wanted => chunks.find(({ name }) => name === wanted).code
  const names = Object.keys(workerEntries).filter(name => name !== 'worker')
  return {
    source: withoutImports(leaveShared(codeOf('shared'))),
    parts: Object.fromEntries(names.map(name => [name, withoutImports(takeShared(codeOf(name)))])),
  }
}

const SHARED = 'globalThis.millraceShared'

/** `export{a as b}` at the end becomes an object of b. */
function leaveShared(code) {
  const statement = code.match(/export\s*\{([^}]*)\};?\s*$/)
  if (statement === null) throw new Error("The worker's text shares nothing with its parts.")
  const fields = namesOf(statement[1]).map(([own, shared]) => `${shared}:${own}`)
  return `${code.slice(0, -statement[0].length)}${SHARED}={${fields}};`
}

/** `import{b as c}from"./shared.js"` at the beginning takes b from that object. */
function takeShared(code) {
  return code.replace(/^import\s*\{([^}]*)\}\s*from\s*"\.\/shared[^"]*";?/, (_statement, list) => {
    const fields = namesOf(list).map(([shared, own]) => `${shared}:${own}`)
    return `const{${fields}}=${SHARED};`
  })
}

const namesOf = list =>
  list.split(',').map(item => {
    const [from, to = from] = item.trim().split(/\s+as\s+/)
    return [from, to]
  })

function withoutImports(code) {
  const other = code.match(/(?:^|[;}\n])import\s*(?:[^;"']*from\s*)?["'](?!node:)[^"']*/)
  if (other !== null) throw new Error(`A part must import no other part: ${other[0]}`)
  return code
}
