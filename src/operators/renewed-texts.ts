/**
 * New dictionaries in the place of old ones, for a flow whose strings are ever new ones: what is still kept takes codes of the new, and then nobody has codes of the old, which go with all strings that are of
 * no use any more. Between two steps of a job that goes on; in lanes rows only pass, and nothing has to be recoded.
 */
import { leafType } from '../columnar/type.js'
import { dictionaryOf, type LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import { loadVector, unloadVector } from '../kernels/transfer-batch.js'
import type { OperatorContext } from './build.js'
import type { OneDictionary } from './one-dictionary.js'

export interface RenewedTexts {
  /** What has taken the place of this one; null where nothing that is kept has codes of it. */
  known(old: LaneDictionary | null): LaneDictionary | null
  /** The same, made where there is none yet. */
  of(old: LaneDictionary): LaneDictionary
  /** A column with codes of the new one, in scratch; others as they are. */
  recode(column: LaneVector): LaneVector
  /** Who needs a new one has retained it by now. */
  release(): void
}

export function createRenewedTexts({ k, dictionaries: pool }: OperatorContext): RenewedTexts {
  const made = new Map<LaneDictionary, LaneDictionary>()
  const of = (old: LaneDictionary): LaneDictionary => {
    let dictionary = made.get(old)
    if (dictionary === undefined) {
      dictionary = pool.create()
      made.set(old, dictionary)
    }
    return dictionary
  }
  return {
    of,
    known: old => (old === null ? null : (made.get(old) ?? null)),
    recode(column) {
      const old = dictionaryOf(column)
      if (leafType(column.type).kind !== 'utf8' || old === null) return column
      return loadVector(k, unloadVector(k, column), of(old))
    },
    release() {
      for (const dictionary of made.values()) pool.release(dictionary)
      made.clear()
    },
  }
}

/** The same for what comes in: columns whose dictionary has been replaced keep the new one, others the next that comes. */
export function renewOne(one: OneDictionary, renewed: RenewedTexts, columnCount: number): void {
  const next = Array.from({ length: columnCount }, (_, i) => renewed.known(one.of(i)))
  one.clear()
  for (const [i, dictionary] of next.entries()) if (dictionary !== null) one.adopt(i, dictionary)
}

/** Steps in which dictionaries are to be of use at least: those that fill up sooner, of what comes with long ones say, may be larger. */
const LEAST_STEPS = 4

/** Times what was kept at the last renewal: each costs as much as that is, and so all together no more than what has come. */
const MOST_TIMES = 3

/** Of what a job may take: dictionaries double as they grow, and what is made of a step takes its room too. */
const TEXT_PART = 16

/**
 * When to renew: after a step, told how many bytes there are, how many of them come with every batch as it is, and how many were kept.
 * @param textBytes beyond which strings are looked through
 * @param memoryBytes that the job may take
 */
export function createRenewal(
  textBytes: number,
  memoryBytes = Infinity,
): {
  isDue(byteLength: number, coming: () => number): boolean
  done(byteLength: number): void
} {
  const shortBytes = memoryBytes / TEXT_PART
  const mostBytes = Math.min(textBytes, shortBytes)
  let most = mostBytes
  let steps = 0
  return {
    isDue(byteLength, coming) {
      steps++
      if (byteLength <= most || byteLength - coming() <= most) return false
      // Less than nothing (for tests): after every step.
      if (mostBytes < 0 || steps >= LEAST_STEPS || byteLength > shortBytes) return true
      most = 2 * byteLength
      return false
    },
    done(byteLength) {
      if (mostBytes >= 0 && most < MOST_TIMES * byteLength) most = MOST_TIMES * byteLength
      steps = 0
    },
  }
}
