// One row, exactly: for rows whose quotes are not where scan.ts takes for granted, and for those longer than its window.

import { closing, Csv, endsField, find, STRAY, UNCLOSED } from './context'

/**
 * Reads the row at `at` and returns the address of its line break, or of `end` where `isEnd`; 0 where the row does not end. Writes the separators,
 * the last one always as number min(count, most); `found` is their count, and `fault` STRAY or UNCLOSED where its quotes are not right.
 *
 * A quote opens at the beginning of a field only. Text behind a closing quote is read to the next separator.
 */
export function readRow(csv: Csv, at: usize, end: usize, isEnd: bool, separators: usize, most: u32): usize {
  const delimiter = csv.delimiter
  const quote = csv.quote
  let count: u32 = 0
  let fault: u32 = 0
  while (true) {
    if (at < end && u32(load<u8>(at)) == quote) {
      at = closing(at + 1, end, quote)
      if (at >= end) fault = fault ? fault : UNCLOSED
      else if (++at < end && !endsField(csv, at, end) && fault == 0) fault = STRAY
    }
    at = find(at, end, delimiter, 10)
    if (at == end && !isEnd) return 0
    store<u32>(separators + (usize(min(count, most - 1)) << 2), u32(at))
    count++
    if (at == end || load<u8>(at) == 10) break
    at++
  }
  csv.found = count
  csv.fault = fault
  return at
}
