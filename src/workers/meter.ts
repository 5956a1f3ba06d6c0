/** Counts rows and time at every operator of a lane's pipeline, for `explain({ analyze: true })`: operators themselves know no clock. */
import type { Pipeline, Segment } from '../operators/build.js'
import type { Breaker, Transform } from '../operators/operator.js'
import type { StageMetrics } from './protocol.js'

export interface MeteredPipeline extends Pipeline {
  metrics(): StageMetrics[]
}

interface Counts {
  rowsIn: number
  rowsOut: number
  milliseconds: number
}

export function meterPipeline(pipeline: Pipeline): MeteredPipeline {
  const meters: (() => StageMetrics)[] = []
  const meter = (operator: { readonly label: string; kernels(): readonly string[] }): Counts => {
    const counts = { rowsIn: 0, rowsOut: 0, milliseconds: 0 }
    meters.push(() => ({ stage: operator.label, kernels: operator.kernels(), ...counts }))
    return counts
  }
  const segment = (plain: Segment): Segment => ({
    ...plain,
    transforms: plain.transforms.map(transform => meterTransform(transform, meter(transform))),
    breaker: plain.breaker === null ? null : meterBreaker(plain.breaker, meter(plain.breaker)),
  })
  const scan = segment(pipeline.scan)
  const final = pipeline.final.map(segment)
  return { scan, final, free: () => pipeline.free(), metrics: () => meters.map(read => read()) }
}

function timed<T>(counts: Counts, work: () => T): T {
  const began = performance.now()
  try {
    return work()
  } finally {
    counts.milliseconds += performance.now() - began
  }
}

function meterTransform(transform: Transform, counts: Counts): Transform {
  return {
    ...delegate(transform),
    apply: morsel =>
      timed(counts, () => {
        counts.rowsIn += morsel.rowCount
        const left = transform.apply(morsel)
        counts.rowsOut += left?.rowCount ?? 0
        return left
      }),
  }
}

function meterBreaker(breaker: Breaker, counts: Counts): Breaker {
  return {
    ...delegate(breaker),
    consume: (morsel, split) =>
      timed(counts, () => {
        counts.rowsIn += morsel.rowCount
        breaker.consume(morsel, split)
      }),
    ...(breaker.defer === undefined ? {} : { defer: (failure, split) => breaker.defer?.(failure, split) }),
    wants: split => breaker.wants(split),
    ...(breaker.exchange === undefined ? {} : { exchange: breaker.exchange }),
    handOver: () => breaker.handOver(),
    absorb: part => timed(counts, () => breaker.absorb(part)),
    *emit() {
      const morsels = breaker.emit()[Symbol.iterator]()
      try {
        while (true) {
          const next = timed(counts, () => morsels.next())
          if (next.done) return
          counts.rowsOut += next.value?.rowCount ?? 0
          yield next.value
        }
      } finally {
        morsels.return?.()
      }
    },
  }
}

const delegate = (operator: Transform | Breaker) => ({
  label: operator.label,
  kernels: () => operator.kernels(),
  free: () => operator.free(),
})
