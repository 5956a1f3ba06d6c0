import { liveJoinLaws } from './live-joins.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

for (const [lanes, runs] of [
  [0, 400],
  [2, 150],
] as const) {
  liveJoinLaws({
    lanesList: [lanes],
    runs: Math.round(Number(scale ?? 1) * runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
