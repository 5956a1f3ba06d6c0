import { windowLaws } from './windows.suite.js'

const { MILLRACE_RUNS: scale, MILLRACE_SEED: seed } = process.env

windowLaws({
  lanesList: [0, 1, 2, 3],
  runs: Math.round(Number(scale ?? 1) * 2500),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
})
