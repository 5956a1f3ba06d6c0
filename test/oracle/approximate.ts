/** What an approximate result owes to the exact one: the guarantee that its docblock gives, checked against all values of the group. */
import { compareValues, keyText, type Value } from './value.js'

export type ApproximateFunction = 'approxCountDistinct' | 'approxQuantile' | 'approxTopK'

export interface ApproximateParameters {
  readonly precision?: number
  readonly q?: number
  readonly error?: number
  readonly n?: number
  readonly capacity?: number
}

/**
 * Standard errors that the logarithm of an estimate may be off, so that not one in a million is. Of few registers the error is not normal: of 16
 * one estimate in a thousand is too high by more than five standard errors, one in a million by twelve.
 */
const MOST_DEVIATIONS = 5.5

/** Why `result` is no answer over `values` (none of them null), or null where it is one. */
export function whyNotNear(
  name: ApproximateFunction,
  values: readonly Value[],
  parameters: ApproximateParameters,
  result: Value,
): string | null {
  const counts = countsOf(values)
  if (name === 'approxCountDistinct') {
    const exact = counts.length
    const standardError = 1.04 / Math.sqrt(2 ** (parameters.precision as number))
    const allowed = 1 + Math.expm1(MOST_DEVIATIONS * standardError) * exact
    const off = Math.abs(Number(result) - exact)
    return off <= allowed ? null : `${result} of ${exact} distinct values, off by more than ${allowed}`
  }
  if (values.length === 0) return result === null ? null : `${result} of no values`
  return name === 'approxQuantile'
    ? whyNotQuantile(values.map(Number), parameters, result as number)
    : whyNotMost(values.length, counts, parameters, result as readonly Value[])
}

/** Within `error`, relative to it, of the value of rank floor(q (n - 1)); what is smaller than any normal double is as good as 0. */
function whyNotQuantile(values: number[], { q, error }: ApproximateParameters, result: number): string | null {
  const sorted = values.sort(compareValues)
  const exact = sorted[Math.floor((q as number) * (sorted.length - 1))] as number
  const isNear =
    Number.isFinite(exact) && Number.isFinite(result)
      ? Math.abs(result - exact) <= Math.max(Math.abs(exact) * (error as number) * (1 + 1e-9), 2 ** -1022)
      : Object.is(result, exact)
  return isNear ? null : `${result}, which is not within ${error} of ${exact}`
}

/** Every place has a value as frequent as the one that belongs there, but for a share of 1 / capacity of the rows; exact while there are counters for all. */
function whyNotMost(
  rowCount: number,
  counts: readonly Counted[],
  { n, capacity }: ApproximateParameters,
  result: readonly Value[],
): string | null {
  const byKey = new Map(counts.map(each => [keyText([each.value]), each]))
  const wanted = [...counts].sort((a, b) => b.count - a.count).slice(0, n as number)
  const slack = counts.length <= (capacity as number) ? 0 : rowCount / (capacity as number)
  if (slack === 0 && result.length !== wanted.length) return `${result.length} values, expected ${wanted.length}`
  if (new Set(result.map(value => keyText([value]))).size !== result.length) return `a value comes twice in ${result}`
  if (result.length > wanted.length) return `more values than there are`
  for (const [i, { count }] of wanted.entries()) {
    // A value that is missing at the end is one of count 0.
    const found = i < result.length ? byKey.get(keyText([result[i] as Value])) : undefined
    if (i < result.length && found === undefined) return `${result[i]} is none of the values`
    if ((found?.count ?? 0) + slack < count)
      return `place ${i} has ${found?.value}, ${found?.count} times, not ${count}`
  }
  return null
}

interface Counted {
  readonly value: Value
  count: number
}

function countsOf(values: readonly Value[]): readonly Counted[] {
  const counts = new Map<string, Counted>()
  for (const value of values) {
    const key = keyText([value])
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { value, count: 1 })
    else known.count++
  }
  return [...counts.values()]
}
