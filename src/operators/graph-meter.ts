/** Who measures the operators of a flow that runs on, where someone does: the operators themselves know no clock. */
import type { DataType } from '../columnar/type.js'
import type { Pipeline } from './build.js'
import type { LiveAggregate } from './live-aggregate.js'

export interface GraphMeter {
  /** The same stages, measured; as those of `like`, where rows go through either. */
  pipeline(pipeline: Pipeline, like?: Pipeline): Pipeline
  aggregate(aggregate: LiveAggregate): LiveAggregate
  /** Strings have been let go of, which aggregates had in common: all together keep no more than there is left. */
  renewed(): void
  /** Rows that came too late for an aggregate that `aggregate` has given. @param isGiven whether it was given them, and has refused them itself */
  late(aggregate: LiveAggregate, rows: number, isGiven: boolean): void
  /** What the event time has come to, in ticks of its column's type; null before the first row. */
  watermark(value: () => bigint | null, type: DataType): void
}
