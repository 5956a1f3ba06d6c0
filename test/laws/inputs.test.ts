import { inputLaws } from './inputs.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

for (const [lanes, runs] of [
  [0, 250],
  [2, 75],
] as const) {
  inputLaws({
    lanesList: [lanes],
    runs: Math.round(Number(scale ?? 1) * runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
