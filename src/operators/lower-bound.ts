/** The place of the first number of an ascending list that is not below `value`, and of the last where all are. */
export function lowerBound(list: ArrayLike<number>, value: number, length = list.length): number {
  let [low, high] = [0, length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
