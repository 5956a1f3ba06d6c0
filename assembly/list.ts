// Lists by index: the offsets of the rows that indices name, end to end, and which items those rows have. The items themselves are gathered as
// any rows are (select.ts).

/**
 * offsets[i] is where row indices[i] begins in the result; `count + 1` of them, from 0. Returns the last: the items of all rows.
 * `lists` are the offsets of the rows to choose from.
 */
export function listOffsets(lists: usize, indices: usize, count: u32, offsets: usize): u32 {
  let end: u32 = 0
  store<u32>(offsets, 0)
  for (const last = indices + (usize(count) << 2); indices < last; indices += 4) {
    const list = lists + (usize(load<u32>(indices)) << 2)
    end += load<u32>(list, 4) - load<u32>(list)
    offsets += 4
    store<u32>(offsets, end)
  }
  return end
}

/** The indices (u32) of the items of rows indices[0 .. count), row after row: as many as `listOffsets` returns. */
export function listItems(lists: usize, indices: usize, count: u32, out: usize): void {
  for (const last = indices + (usize(count) << 2); indices < last; indices += 4) {
    const list = lists + (usize(load<u32>(indices)) << 2)
    const end = load<u32>(list, 4)
    for (let item = load<u32>(list); item < end; item++) {
      store<u32>(out, item)
      out += 4
    }
  }
}
