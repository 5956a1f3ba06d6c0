/** What is one after another in rounds: each ends where it has come to `most` rows. */
export function inRounds<T>(all: readonly T[], most: number, rowsOf: (one: T) => number): T[][] {
  const rounds: T[][] = []
  let rows = most
  for (const one of all) {
    if (rows >= most) {
      rounds.push([])
      rows = 0
    }
    rounds[rounds.length - 1].push(one)
    rows += rowsOf(one)
  }
  return rounds
}
