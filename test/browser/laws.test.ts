/** The laws in a real browser: fewer runs of each than in Node (test/laws), since the program is the same and only the platform differs. */
import { approximateLaws } from '../laws/approximate.suite.js'
import { flowLaws } from '../laws/flows.suite.js'
import { sumLaws } from '../laws/sums.suite.js'
import { lanesList } from './lanes.js'

const options = { runs: 0.15 }

flowLaws(lanesList, options)
sumLaws(lanesList, options)
approximateLaws(lanesList, options)
