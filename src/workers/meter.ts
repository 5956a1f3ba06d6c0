/**
 * Counts rows and time at every operator of a lane's pipeline, for `explain({ analyze: true })`, and says who is at work, for the error that ends a
 * job without memory: operators themselves know no clock and no budget.
 */
import type { LaneBatch } from '../kernels/lane-vector.js'
import type { MemoryAccount } from '../kernels/memory-account.js'
import { dataBytes } from '../kernels/operand.js'
import { span } from '../metrics/span.js'
import type { Pipeline, Segment } from '../operators/build.js'
import type {
  Breaker,
  Deferred,
  Exchange,
  LastHost,
  Meter,
  OwnExchange,
  Side,
  StatesToShare,
  Transform,
} from '../operators/operator.js'
import { pulled } from '../operators/pulled.js'
import type { StageMetrics } from './protocol.js'

export interface MeteredPipeline extends Pipeline {
  metrics(): StageMetrics[]
  /** Counts also what is no operator of a pipeline. */
  meter(counted: Pick<Transform, 'label' | 'kernels'>): Meter
}

/** @param spans whether each piece of work is told to developer tools (metrics/span.ts) */
export function meterPipeline(pipeline: Pipeline, account: MemoryAccount, spans = false): MeteredPipeline {
  const meters: (() => StageMetrics)[] = []
  const meter = (operator: Pick<Transform, 'label' | 'kernels'> & Pick<Breaker, 'spilled'>): Meter => {
    const { label } = operator
    let milliseconds = 0
    let rowsIn = 0
    let rowsOut = 0
    let widthIn = 0
    let widthOut = 0
    const counts: Meter = {
      took(batch) {
        rowsIn += batch.rowCount
        widthIn ||= widthOf(batch)
      },
      gave(batch) {
        if (batch === null) return
        rowsOut += batch.rowCount
        widthOut ||= widthOf(batch)
      },
      run<T>(work: () => T): T {
        const began = performance.now()
        const { operator: before } = account
        account.operator = label
        try {
          return work()
        } finally {
          account.operator = before
          const ended = performance.now()
          milliseconds += ended - began
          if (spans) span(label, began, ended)
        }
      },
    }
    meters.push(() => ({
      stage: label,
      kernels: operator.kernels(),
      rowsIn,
      rowsOut,
      bytesIn: Math.round(rowsIn * widthIn),
      bytesOut: Math.round(rowsOut * widthOut),
      milliseconds,
      spilled: operator.spilled ?? NOTHING,
    }))
    return counts
  }
  const metered = (transforms: readonly Transform[]) =>
    transforms.map(transform => meterTransform(transform, meter(transform)))
  const branches = pipeline.branches.map(metered)
  const segment = (plain: Segment): Segment => ({
    ...plain,
    transforms: metered(plain.transforms),
    breaker: plain.breaker === null ? null : meterBreaker(plain.breaker, meter(plain.breaker)),
  })
  const scan = segment(pipeline.scan)
  const final = pipeline.final.map(segment)
  return { branches, scan, final, free: () => pipeline.free(), metrics: () => meters.map(read => read()), meter }
}

/** Of its columns, as they lie in memory: of strings their codes, of lists their offsets. */
export const bytesOf = (batch: LaneBatch): number => Math.round(batch.rowCount * widthOf(batch))

/** Bytes of a row, which are the same from batch to batch. */
const widthOf = ({ columns }: LaneBatch): number =>
  columns.reduce((sum, { type: { kind, nullable } }) => sum + dataBytes(kind, 64) / 64 + (nullable ? 1 / 8 : 0), 0)

const NOTHING = { bytes: 0, pieces: 0, times: 0 }

function meterTransform(transform: Transform, meter: Meter): Transform {
  const { expand, leftOut, open, renew, side, deferred } = transform
  return {
    ...delegate(transform),
    ...(renew && { renew }),
    ...(open && { open }),
    ...(leftOut && { leftOut }),
    ...(side && { side: meterSide(side, meter) }),
    ...(deferred && {
      deferred: {
        ...deferred,
        *emit() {
          for (const each of pulled(deferred.emit(), meter.run)) {
            meter.gave(each?.morsel ?? null)
            yield each
          }
        },
        ...(deferred.exchange && {
          exchange: (host: LastHost, give: (rows: Deferred) => void) =>
            deferred.exchange?.(
              {
                ...host,
                each: (items, use) => host.each(pulled(items, meter.run), use),
                send: (to, parts) => host.send(to, pulled(parts, meter.run)),
              },
              rows => {
                meter.gave(rows.morsel)
                give(rows)
              },
            ) as Promise<void>,
        }),
      },
    }),
    ...(expand && {
      *expand(morsel) {
        meter.took(morsel)
        for (const piece of pulled(expand(morsel), meter.run)) {
          meter.gave(piece)
          yield piece
        }
      },
    }),
    get spilled() {
      return transform.spilled
    },
    apply: morsel =>
      meter.run(() => {
        meter.took(morsel)
        const left = transform.apply(morsel)
        meter.gave(left)
        return left
      }),
  }
}

function meterSide(side: Side, meter: Meter): Side {
  const { unmatched, rows } = side
  return {
    index: side.index,
    rows: { ...rows, add: (batch, split) => meter.run(() => rows.add(batch, split)) },
    ...(side.parted === undefined ? {} : { parted: side.parted }),
    prepare: () => pulled(side.prepare(), meter.run),
    ...(unmatched === undefined
      ? {}
      : {
          unmatched: {
            ...unmatched,
            *emit() {
              for (const morsel of pulled(unmatched.emit(), meter.run)) {
                meter.gave(morsel)
                yield morsel
              }
            },
          },
        }),
  }
}

function meterBreaker(breaker: Breaker, meter: Meter): Breaker {
  return {
    ...delegate(breaker),
    consume: (morsel, split) =>
      meter.run(() => {
        meter.took(morsel)
        breaker.consume(morsel, split)
      }),
    ...(breaker.defer === undefined ? {} : { defer: (failure, split) => breaker.defer?.(failure, split) }),
    wants: split => breaker.wants(split),
    get takesLong() {
      return breaker.takesLong === true
    },
    get spilled() {
      return breaker.spilled
    },
    ...(breaker.exchange === undefined ? {} : { exchange: meterExchange(breaker.exchange, meter) }),
    handOver: () => pulled(breaker.handOver(), meter.run),
    absorb: part => meter.run(() => breaker.absorb(part)),
    *emit() {
      for (const morsel of pulled(breaker.emit(), meter.run)) {
        meter.gave(morsel)
        yield morsel
      }
    },
  }
}

function meterExchange(exchange: Exchange | OwnExchange, meter: Meter): Exchange | OwnExchange {
  if (exchange.metered) return exchange.metered(meter)
  return {
    get wanted() {
      return exchange.wanted
    },
    get spilled() {
      return exchange.spilled === true
    },
    get states(): StatesToShare | null {
      const { states } = exchange
      if (!states) return null
      return {
        ...states,
        parts: (...terms) => pulled(states.parts(...terms), meter.run),
        receive: part => meter.run(() => states.receive(part)),
        end: (...terms) => meter.run(() => states.end(...terms)),
      }
    },
    fingerprint: () => exchange.fingerprint(),
    splits: () => exchange.splits(),
    get size() {
      return exchange.size
    },
    begin: (common, size, spilled) => meter.run(() => exchange.begin(common, size, spilled)),
    parts: (first, end) => pulled(exchange.parts(first, end), meter.run),
    receive: part => meter.run(() => exchange.receive(part)),
    finish: (first, end) => pulled(exchange.finish(first, end), meter.run),
    results: (lane, lanes) => pulled(exchange.results(lane, lanes), meter.run),
    *emit(lane, lanes) {
      for (const each of pulled(exchange.emit(lane, lanes), meter.run)) {
        meter.gave(each.morsel)
        yield each
      }
    },
  }
}

const delegate = (operator: Transform | Breaker) => ({
  label: operator.label,
  kernels: () => operator.kernels(),
  free: () => operator.free(),
})
