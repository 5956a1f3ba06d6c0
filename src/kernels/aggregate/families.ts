/** Which family of accumulators serves each aggregate; counts, sums and means are not here: they share the slots of slots.ts. */
import type { AggregateFunction, Family } from './accumulator.js'
import { ddSketch } from './dd-sketch.js'
import { hyperLogLog } from './hyper-log-log.js'
import { minMax } from './min-max.js'
import { spaceSaving } from './space-saving.js'

export const FAMILIES: Readonly<Partial<Record<AggregateFunction, Family>>> = {
  min: minMax,
  max: minMax,
  approxCountDistinct: hyperLogLog,
  approxQuantile: ddSketch,
  approxTopK: spaceSaving,
}
