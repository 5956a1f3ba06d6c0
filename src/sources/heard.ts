/** Listeners of the caller's: what they are told they need not hear at once. */

/**
 * Tells a listener. Resolves once it has heard, where it is asynchronous, and all before it have; `fail` is given what it throws, at once, or rejects with.
 */
export async function heardAfter(
  before: Promise<void>,
  tell: () => unknown,
  fail: (error: unknown) => void,
): Promise<void> {
  try {
    await tell()
  } catch (error) {
    fail(error)
  }
  await before
}
