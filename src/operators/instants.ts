/** Instants of rows as they lie in a column, looked at without a bigint a row where that can be. */
export const wordsOf = (values: BigInt64Array | null): Uint32Array | null =>
  values && new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)

/** Whether an instant is that of the row before; where there are none all are. */
export const isAsBefore = (words: Uint32Array | null, row: number): boolean =>
  words === null || (row > 0 && words[2 * row] === words[2 * row - 2] && words[2 * row + 1] === words[2 * row - 1])

/** The first row from `from` on whose instant, in a column where they only rise, is not before `due`. */
export function firstFrom(instants: BigInt64Array, due: bigint, from: number): number {
  let to = instants.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((instants[middle] as bigint) < due) from = middle + 1
    else to = middle
  }
  return from
}
