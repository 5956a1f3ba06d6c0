import { windowRowLaws } from './window-rows.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

for (const [lanes, runs] of [
  [0, 600],
  [1, 150],
  [2, 100],
] as const) {
  windowRowLaws({
    lanesList: [lanes],
    runs: Math.round(Number(scale ?? 1) * runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
