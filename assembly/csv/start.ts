// Where rows begin in text that is cut anywhere, perhaps between quotes: both are tried, and the better explanation wins.

import { closing, Csv, endsField, find } from './context'

/**
 * The address of the first record that begins after `at`, 0 where none does. The text is taken to begin between quotes if more rows have as many
 * fields as they should, and fewer quotes are where none should be, than otherwise.
 */
export function csvStartOfRow(pointer: usize, at: usize, end: usize): usize {
  const csv = changetype<Csv>(pointer)
  if (csv.quote > 255 || find(at, end, csv.quote, csv.quote) == end) {
    const stop = find(at, end, 10, 10)
    return stop == end ? 0 : stop + 1
  }
  const outside = judge(csv, at, end, false)
  const start = csv.next
  return judge(csv, at, end, true) > outside ? csv.next : start
}

/** What speaks for it that `at` is between quotes, or is not; the first row to `csv.next`. */
function judge(csv: Csv, at: usize, end: usize, inside: bool): i32 {
  const delimiter = csv.delimiter
  const quote = csv.quote
  let votes = 0
  let fields: u32 = 0
  csv.next = 0
  while (true) {
    if (inside || (at < end && u32(load<u8>(at)) == quote)) {
      at = closing(inside ? at : at + 1, end, quote)
      inside = false
      if (at == end) return votes
      at++
      if (at < end && !endsField(csv, at, end)) votes--
    }
    const stop = find(at, end, delimiter, 10)
    if (find(at, stop, quote, quote) < stop) votes--
    if (stop == end) return votes
    at = stop + 1
    fields++
    if (u32(load<u8>(stop)) != 10) continue
    if (csv.next == 0) csv.next = at
    else if (fields == csv.fieldCount) votes++
    else if (fields > 1) votes--
    fields = 0
    while (at < end && u32(load<u8>(at)) == csv.comment) at = min(find(at, end, 10, 10) + 1, end)
  }
}
