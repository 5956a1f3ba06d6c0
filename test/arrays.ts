/** Long arrays held against one another: `toEqual` takes some microseconds an element. */
import { expect } from 'vitest'

/** Element by element, by `Object.is`; what differs first is told with its place. */
export function expectSame(found: ArrayLike<unknown>, wanted: ArrayLike<unknown>): void {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(found[i], wanted[i])) expect([i, found[i]]).toEqual([i, wanted[i]])
  }
}
