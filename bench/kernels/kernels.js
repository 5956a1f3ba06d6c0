// The kernels by themselves: bytes moved, GB/s, the multiple of what reading them once takes, and exact sums against plain loops.

import { performance } from 'node:perf_hooks'
import { compileAssembly, instantiateAssembly } from '../floor/compile.js'
import { openFloor } from '../floor/floor.js'
import { median } from '../statistics.js'
import { formatCount, formatMegabytes, formatMs, formatRatio, markdownTable } from '../table.js'
import { importLibrary } from './bundle.js'
import { kernelCases } from './cases.js'
import { floatColumns, kernelColumns } from './columns.js'
import { measureSums, sumsReport } from './public-sums.js'

/**
 * @typedef {object} KernelResult
 * @property {string} family
 * @property {string} name
 * @property {string} kernel what the binding chose
 * @property {number} byteLength
 * @property {number} ms median
 * @property {number} floorMs what reading as many bytes takes, one thread, beside it
 * @property {number | null} plainMs
 * @property {number | null} target
 * @property {string | null} problem
 */

/**
 * @param {object} options
 * @param {number} options.rowCount
 * @param {number} options.seed
 * @param {number} options.runs
 * @param {(line: string) => void} options.log
 * @returns {Promise<import('../report.js').Section>}
 */
export async function runKernels({ rowCount, seed, runs, log }) {
  log(`${formatCount(rowCount)} rows: kernels`)
  const library = await importLibrary()
  const k = library.instantiate(await library.compileKernels(await library.kernelBytes()))
  const loops = instantiateAssembly(
    await compileAssembly(new URL('../floor/loops.ts', import.meta.url)),
    k.memory.memory,
  )
  const columns = kernelColumns(rowCount, seed)
  const floor = await openFloor(1)
  /** @type {KernelResult[]} */
  const results = []
  try {
    for (const each of kernelCases(library, k, loops, columns)) {
      log(`  ${each.family}: ${each.name}`)
      results.push(await measure(each, floor, runs))
    }
  } finally {
    await floor.close()
  }
  return kernelReport(results, sumsReport(await measureSums({ columns, runs, log })), rowCount)
}

/** Kernel, plain loop and floor in turn, after rounds that only warm the compiler. */
async function measure({ family, name, byteLength, run, plain, check, target }, floor, runs) {
  const times = { run: [], plain: [], floor: [] }
  const timed = work => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  let kernel = ''
  try {
    for (let round = -1; round < runs; round++) {
      const runMs = timed(() => {
        kernel = run()
      })
      const plainMs = plain ? timed(plain) : 0
      check()
      const floorMs = (byteLength / (await floor.measure(1))) * 1000
      if (round < 0) continue
      times.run.push(runMs)
      times.plain.push(plainMs)
      times.floor.push(floorMs)
    }
  } catch (error) {
    return { family, name, kernel, byteLength, ms: NaN, floorMs: NaN, plainMs: null, target, problem: error.message }
  }
  return {
    family,
    name,
    kernel,
    byteLength,
    ms: median(times.run),
    floorMs: median(times.floor),
    plainMs: plain ? median(times.plain) : null,
    target,
    problem: null,
  }
}

/** @returns {import('../report.js').Section} */
function kernelReport(results, sums, rowCount) {
  const measured = results.filter(({ problem }) => problem === null)
  const missed = measured.filter(({ ms, plainMs, target }) => target !== null && ms / plainMs > target)
  const floats = Object.entries(floatColumns).map(([name, text]) => `\`${name}\` is ${text}`)
  return {
    text: [
      `## Kernels, ${formatCount(rowCount)} rows, one thread`,
      `Through the bindings that operators use, 65,536 rows at a time, over columns that lie in a lane's memory. The bytes are those of inputs and
outputs, each once; the floor is what reading as many takes by a SIMD sum, measured in the same rounds. The plain loop adds float64 (or int64) to
one number a group. ${floats.join(', ')}.`,
      markdownTable(
        ['what', 'kernel', 'ms', 'MB moved', 'GB/s', 'times the floor', 'plain loop ms', 'ratio to it', 'target'],
        measured.map(({ family, name, kernel, byteLength, ms, floorMs, plainMs, target }) => [
          `${family}: ${name}`,
          kernel || '–',
          formatMs(ms),
          formatMegabytes(byteLength),
          (byteLength / ms / 1e6).toFixed(1),
          (ms / floorMs).toFixed(1),
          plainMs === null ? '–' : formatMs(plainMs),
          plainMs === null ? '–' : formatRatio(ms / plainMs),
          target === null ? '–' : String(target),
        ]),
      ),
      ...sums.text,
    ],
    losses: [
      ...missed.map(
        ({ name, ms, plainMs, target }) =>
          `Kernels, ${name}: ${formatRatio(ms / plainMs)} of the plain loop (the target is ${target})`,
      ),
      ...sums.losses,
    ],
    problems: [
      ...results.flatMap(({ family, name, problem }) => (problem ? [`kernels, ${family}, ${name}: ${problem}`] : [])),
      ...sums.problems,
    ],
    versions: [],
    measuresOurs: true,
  }
}
