import { endlessLaws } from './endless.suite.js'

const { MILLRACE_RUNS: runs, MILLRACE_SEED: seed } = process.env

endlessLaws([0, 2], { runs: Number(runs ?? 1), ...(seed === undefined ? {} : { seed: Number(seed) }) })
