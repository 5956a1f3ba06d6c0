/**
 * A tape of numbers that steers a generator of dependent things (a verb depends on the columns that the last one left).
 * An exhausted tape answers 0 for ever, which is always the simplest choice, so fast-check shrinks a flow by shortening its tape.
 */
import fc from 'fast-check'

export interface Choices {
  /** An integer from 0 to `count - 1`. */
  below(count: number): number
  /** True `percent` times in a hundred, never on an exhausted tape. */
  chance(percent: number): boolean
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T
  /** Up to `most` distinct items, at least one, in tape order. */
  some<T>(items: readonly T[], most: number): T[]
}

export const tapes = (length = 80): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.nat({ max: 0xffff }), { minLength: length >> 2, maxLength: length, size: 'max' })

export function choicesOf(tape: readonly number[]): Choices {
  let at = 0
  const next = () => tape[at++] ?? 0
  const choices: Choices = {
    below: count => next() % count,
    chance: percent => next() % 100 >= 100 - percent,
    pick: items => items[choices.below(items.length)] as (typeof items)[number],
    some(items, most) {
      const left = [...items]
      const taken: typeof left = []
      const count = 1 + choices.below(Math.min(most, left.length))
      while (taken.length < count) taken.push(...left.splice(choices.below(left.length), 1))
      return taken
    },
  }
  return choices
}
