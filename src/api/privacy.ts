/**
 * Differentially private aggregates: exact counts and sums of bounded values are made in the lanes, noise is added in the calling thread, and a budget is kept of what answers
 * give away. What they become is private-aggregates.ts's, noise is sources/noisy-groups.ts's.
 */
import type { DataType, Float64, Int64 } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import type { RandomBytes } from '../sources/discrete-noise.js'
import type { AggregateExpr } from './aggregate-expr.js'
import { Flow } from './flow.js'
import type { Expr } from './handles.js'
import { optionsOf } from './options.js'
import { type PrivateChoice, privateCall, privateLowering, type Release } from './private-aggregates.js'
import { type GroupRule, ruleOf } from './private-groups.js'
import { invalid, mismatch, show } from './refusal.js'

/** What may be given away, or has been: the chance of any answer grows by a factor of e^epsilon at most through one row more or less, but for a chance of delta. */
export interface PrivacyCost {
  readonly epsilon: number
  readonly delta: number
}

export interface PrivacyBudgetOptions {
  readonly epsilon: number
  /** 0 by default: then neither Gaussian noise nor `dpGroups` can be had. Well below one over the number of rows. */
  readonly delta?: number
  /** What has been given away of the same data before, as `spent` told. */
  readonly spent?: PrivacyCost
  /** Fills bytes with random ones, for tests that are to be repeated; `crypto.getRandomValues` by default, and nothing less protects anyone. */
  readonly random?: RandomBytes
}

/** What a private aggregate costs. With a `delta` its noise is Gaussian, which is less where several answers are given together; without it Laplacian. */
export interface PrivateOptions {
  readonly epsilon: number
  readonly delta?: number
}

export interface BoundedOptions extends PrivateOptions {
  /** Values below count as this. Chosen from what is known of the column beforehand, never from its values. */
  readonly lower: number
  readonly upper: number
}

/** An answer that was given, and what it cost. */
export interface PrivateRelease extends PrivacyCost {
  readonly label: string
}

/** Its functions may be taken off it. */
export interface PrivacyBudget extends PrivacyCost {
  readonly spent: PrivacyCost
  readonly remaining: PrivacyCost
  /** In their order. */
  readonly releases: readonly PrivateRelease[]
  /** Rows, with noise: int64, below zero too. */
  readonly dpCount: (options: PrivateOptions) => AggregateExpr<Int64, Int64>
  /** The sum of values, each no lower than `lower` and no higher than `upper`, with noise: float64. Nulls and NaN count as nothing. */
  readonly dpSum: <T extends DataType>(
    expression: Expr<T, 'number'>,
    options: BoundedOptions,
  ) => AggregateExpr<Float64, Float64>
  /** The same of their mean, within the bounds: half of what it costs goes to the sum, half to the count. */
  readonly dpMean: <T extends DataType>(
    expression: Expr<T, 'number'>,
    options: BoundedOptions,
  ) => AggregateExpr<Float64, Float64>
  /** Only groups with rows enough, by a count with noise: of a group of one row the chance is `delta` at most. In the order of their keys. */
  readonly dpGroups: (options: { readonly epsilon: number; readonly delta: number }) => GroupRule
  toString(): string
}

/**
 * A budget for private answers about some data, and the aggregates that spend it. Each run of a flow with such an aggregate gives other noise and costs anew; what costs more
 * than is left is refused.
 *
 * ```ts
 * const budget = privacyBudget({ epsilon: 1, delta: 1e-6 })
 * const { dpCount, dpMean, dpGroups } = budget
 * const bySymbol = flow.groupBy('symbol').aggregate(
 *   t => ({ trades: dpCount({ epsilon: 0.2 }), mean: dpMean(t.price, { lower: 0, upper: 20, epsilon: 0.3 }) }),
 *   dpGroups({ epsilon: 0.2, delta: 1e-7 }),
 * )
 * show(await bySymbol.collect())
 * show(budget.remaining.epsilon)
 * ```
 * Which groups there are tells of their rows too. So aggregates by keys name the groups beforehand, by `publicGroups`, or have them chosen by `dpGroups`. Groups by keys cost
 * once for all of them, since a row is in one; those of `rollup` and `cube` once for each set of keys. Costs of several aggregates are added up.
 *
 * **What it does not do.** A row is what is hidden, and one of those that are aggregated: where people have several, or what comes before makes several of one (`join`, `explode`,
 * `flatMap`) or tells rows of others (`over`, `fillNull` by a method), aggregate to one for each person first. Exact answers, metrics, errors, and how long a job
 * takes are not protected; nor is what is computed without noise. Two budgets for the same data protect it as little as their sum, and a budget lasts as long as its object:
 * write `spent` down and begin with it.
 *
 * @throws MillraceError `MR_INVALID_OPTION`; from the aggregates too; the terminals `MR_PRIVACY_BUDGET` where less is left than the answer costs
 */
export function privacyBudget(options: PrivacyBudgetOptions): PrivacyBudget {
  const example = '{ epsilon: 1 }'
  const known = ['epsilon', 'delta', 'spent', 'random']
  const { spent: before, random = secureBytes } = optionsOf('privacyBudget', options, example, known)
  const all = costOf('privacyBudget', options, example)
  if (typeof random !== 'function') throw invalid('privacyBudget', `random is a function, not ${show(random)}`)
  const spent =
    before === undefined ? { epsilon: 0, delta: 0 } : costOf('privacyBudget', before, '{ epsilon: 0.5, delta: 0 }', 0)
  const releases: PrivateRelease[] = []

  /** Takes what an answer costs, before it is computed, so that answers at a time cannot take it twice. */
  const reserve = (release: PrivateRelease): Release => {
    const left = { epsilon: all.epsilon - spent.epsilon, delta: all.delta - spent.delta }
    for (const what of ['epsilon', 'delta'] as const) {
      // Sums of decimals end in other digits than they should.
      if (release[what] <= left[what] + all[what] * 1e-9) continue
      throw new MillraceError(
        'MR_PRIVACY_BUDGET',
        `privacyBudget: ${release.label} costs ${what} ${digits(release[what])}, and of ${all[what]} there is ${digits(Math.max(0, left[what]))} left; ask for less, or keep the answer that there is`,
        { operator: 'privacyBudget', epsilon: release.epsilon, delta: release.delta, remaining: left },
      )
    }
    spent.epsilon += release.epsilon
    spent.delta += release.delta
    releases.push(release)
    return {
      random,
      takeBack() {
        const place = releases.indexOf(release)
        if (place < 0) return
        releases.splice(place, 1)
        spent.epsilon -= release.epsilon
        spent.delta -= release.delta
      },
    }
  }
  const budget = {
    ...all,
    get spent() {
      return Object.freeze({ ...spent })
    },
    get remaining() {
      const { epsilon, delta } = all
      return Object.freeze({
        epsilon: Math.max(0, epsilon - spent.epsilon),
        delta: Math.max(0, delta - spent.delta),
      })
    },
    get releases() {
      return Object.freeze([...releases])
    },
    dpCount: (given: PrivateOptions) => privateCall('dpCount', reserve, [], aggregateCost('dpCount', given, [])),
    dpSum: (expression: Expr, given: BoundedOptions) => bounded('dpSum', expression, given),
    dpMean: (expression: Expr, given: BoundedOptions) => bounded('dpMean', expression, given),
    dpGroups(given: { readonly epsilon: number; readonly delta: number }) {
      const { epsilon, delta } = aggregateCost('dpGroups', given, [])
      if (delta === 0)
        throw invalid('dpGroups', 'it takes a delta above 0: the chance of a group of one row to come out')
      return choose({ kind: 'enough', epsilon, delta })
    },
    toString: () =>
      `epsilon ${digits(spent.epsilon)} of ${all.epsilon} and delta ${digits(spent.delta)} of ${all.delta} are spent`,
  }
  const bounded = (name: 'dpSum' | 'dpMean', expression: Expr, given: BoundedOptions) =>
    privateCall(name, reserve, [expression], aggregateCost(name, given, ['lower', 'upper']))
  return Object.freeze(budget) as unknown as PrivacyBudget
}

/**
 * For private aggregates: the groups are those of another flow, which everyone may know, whichever rows there are; in its order. Groups without rows have noise too, and rows of
 * other groups are left out.
 *
 * ```ts
 * const { dpSum } = privacyBudget({ epsilon: 1 })
 * flow.groupBy('symbol').aggregate(
 *   t => ({ size: dpSum(t.size, { lower: 0, upper: 1000, epsilon: 0.5 }) }),
 *   publicGroups(columns({ symbol: ['ABC', 'DEF', 'XYZ'] })),
 * )
 * ```
 * @param groups has the columns of the keys, none of them null; doubles count once
 * @throws MillraceError `MR_TYPE_MISMATCH`; from `aggregate` `MR_UNKNOWN_COLUMN` where a key is missing
 */
export function publicGroups(groups: Flow<any>): GroupRule {
  if (!(groups instanceof Flow))
    throw mismatch(
      'publicGroups',
      `publicGroups takes a flow of groups, as in publicGroups(columns({ symbol: ['A', 'B'] })), not ${show(groups)}`,
    )
  return choose({ kind: 'public', groups })
}

const choose = (choice: PrivateChoice): GroupRule => ruleOf(privateLowering(choice))

function aggregateCost(name: string, given: PrivateOptions, more: readonly string[]): PrivateOptions & PrivacyCost {
  const example = more.length === 0 ? '{ epsilon: 0.1 }' : '{ lower: 0, upper: 100, epsilon: 0.1 }'
  optionsOf(name, given, example, ['epsilon', 'delta', ...more])
  return Object.freeze({ ...given, ...costOf(name, given, example) })
}

/** @param least epsilon is above 0, unless this is it. @throws MillraceError `MR_INVALID_OPTION` */
function costOf(
  what: string,
  given: { epsilon: unknown; delta?: unknown },
  example: string,
  least?: 0,
): { epsilon: number; delta: number } {
  const { epsilon, delta = 0 } = optionsOf(what, given, example, Object.keys(given))
  if (typeof epsilon !== 'number' || !(epsilon < Infinity) || !(epsilon > 0 || epsilon === least))
    throw invalid(what, `epsilon is a number above 0, as in ${example}, not ${show(epsilon)}`)
  if (typeof delta !== 'number' || !(delta >= 0 && delta < 1))
    throw invalid(what, `delta is a number from 0 up to 1, without it, not ${show(delta)}`)
  return { epsilon, delta }
}

/** Without what addition has made of decimals. */
const digits = (value: number): string => String(Number(value.toPrecision(9)))

const secureBytes: RandomBytes = bytes => {
  crypto.getRandomValues(bytes)
}
