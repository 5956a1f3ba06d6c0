/** A float32 as text. A float64's is JavaScript's own. */

/** Below this float32s lie so far apart that six digits may be more than it takes. */
const LEAST_NORMAL = 2 ** -126

/** The fewest digits that give a float32 back, as JavaScript would write them. */
export function float32Text(value: number): string {
  if (!Number.isFinite(value) || (Math.trunc(value) === value && Math.abs(value) < 2 ** 24)) return String(value)
  // Six digits or fewer name float32s one to one, so that six of which the last are zeros are the shortest; nine give any back.
  for (let digits = Math.abs(value) < LEAST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const near = Number(value.toPrecision(digits))
    // Halfway between two float32s a reader may take the other one.
    if (Math.fround(near) === value && (near === value || Math.fround(2 * near - value) !== 2 * near - value))
      return String(near)
  }
  return String(Number(value.toPrecision(9)))
}
