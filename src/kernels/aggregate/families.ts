/** Which family of accumulators serves each aggregate beyond counts and sums, which every lane has, and the extremes of what is no string (min-max.ts). */
import type { Families } from './accumulator.js'
import { argMinMax } from './arg-min-max.js'
import { ddSketch } from './dd-sketch.js'
import { firstLast } from './first-last.js'
import { histogram } from './histogram.js'
import { hyperLogLog } from './hyper-log-log.js'
import { keptValues } from './kept-values.js'
import { list } from './list.js'
import { minMaxText } from './min-max-text.js'
import { moments } from './moments.js'
import { multiset } from './multiset.js'
import { spaceSaving } from './space-saving.js'
import { topK } from './top-k.js'

export const FAMILIES: Families = {
  // Of strings; all others are min-max.ts's.
  min: minMaxText,
  max: minMaxText,
  first: firstLast,
  last: firstLast,
  lastPlace: firstLast,
  any: firstLast,
  argMin: argMinMax,
  argMax: argMinMax,
  topK,
  bottomK: topK,
  collectList: list,
  join: list,
  histogram,
  approxCountDistinct: hyperLogLog,
  approxQuantile: ddSketch,
  approxTopK: spaceSaving,
  countDistinct: multiset,
  mode: multiset,
  median: keptValues,
  quantile: keptValues,
  variance: moments,
  stddev: moments,
  covariance: moments,
  correlation: moments,
  slope: moments,
}
