import { windowLaws } from './windows.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

// Ten thousand in all; what is above the watermark is the same on any number of lanes, so fewer where workers are to be waited for.
for (const [lanes, runs] of [
  [0, 4000],
  [1, 5000],
  [2, 700],
  [3, 300],
] as const) {
  windowLaws({
    lanesList: [lanes],
    runs: Math.round(Number(scale ?? 1) * runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
