/** Failures of a part of an expression, kept by themselves until it is known whether they count. */
import type { Expression } from '../expressions/node.js'
import { type FailureReason, Failures } from './compiled.js'

export interface OwnFailures extends Failures {
  /** Those of the stage, of which they are a part. */
  readonly of: Failures
  readonly least: {
    readonly row: number
    readonly expression: Expression
    readonly reason: FailureReason | null
  } | null
}

/** The failures of the stage that `failures` are of. */
export const stageOf = (failures: Failures): Failures => (failures as Partial<OwnFailures>).of ?? failures

export function ownFailures(failures: Failures): OwnFailures {
  let least: OwnFailures['least'] = null
  return Object.defineProperties(new Failures(), {
    of: { value: stageOf(failures) },
    least: { get: () => least },
    note: {
      value: (row: number, expression: Expression, reason: FailureReason | null = null) => {
        if (row >= 0 && (least === null || row < least.row)) least = { row, expression, reason }
      },
    },
  }) as OwnFailures
}
