/** All laws in Node, on 0 to 3 lanes. MILLRACE_RUNS multiplies how often each runs, MILLRACE_SEED repeats a run. */
import { approximateLaws } from './approximate.suite.js'
import { flowLaws } from './flows.suite.js'
import { overLaws } from './over.suite.js'
import { setLaws } from './sets.suite.js'
import { sumLaws } from './sums.suite.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env
const options = { runs: 0.35 * Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) }
const lanesList = [0, 1, 2, 3]

flowLaws(lanesList, options)
sumLaws(lanesList, options)
approximateLaws(lanesList, options)
setLaws(lanesList, options)
overLaws([0, 2], options)
