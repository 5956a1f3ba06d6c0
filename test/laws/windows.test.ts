import { windowLaws } from './windows.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

// With the laws of first rows, of several inputs and of joins ten thousand in all; what is above the watermark is the same on any number of lanes, so fewer where workers are to be waited for.
for (const [lanes, runs] of [
  [0, 2000],
  [1, 1200],
  [2, 400],
  [3, 200],
] as const) {
  windowLaws({
    lanesList: [lanes],
    runs: Math.round(Number(scale ?? 1) * runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
}
