/** Which family of accumulators serves each aggregate; counts, sums and means are not here: they share the slots of slots.ts. */
import type { AggregateFunction, Family } from './accumulator.js'
import { keptValues } from './kept-values.js'
import { minMax } from './min-max.js'
import { multiset } from './multiset.js'

export const FAMILIES: Readonly<Partial<Record<AggregateFunction, Family>>> = {
  min: minMax,
  max: minMax,
  countDistinct: multiset,
  mode: multiset,
  median: keptValues,
  quantile: keptValues,
}
