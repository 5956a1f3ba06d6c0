import { liveOverLaws } from './live-over.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

for (const [lanes, runs] of [
  [0, 300],
  [1, 100],
  [2, 40],
] as const) {
  liveOverLaws({
    lanesList: [lanes],
    runs: Math.max(1, Math.round(Number(scale ?? 1) * runs)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
