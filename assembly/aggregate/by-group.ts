// Rows of a group and a value, kept as they come, put side by side group by group: counted, then moved, each to where the next of its group goes.
//
//   counts    u32[groups]           cursors   u32[groups]     where the next value of a group goes; all ones: its values are passed over
//   offsets   u32[chosen + 1]       where the values of the i-th chosen group begin

/** counts[groups[i]] += 1 */
export function byGroupCount(groups: usize, count: u32, counts: usize): void {
  for (const end = groups + (usize(count) << 2); groups < end; groups += 4) {
    const at = counts + (usize(load<u32>(groups)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
}

/** Cursors and offsets of chosen[0..count), or with 0 of the first `count` groups. Returns how many values they have. */
export function byGroupStarts(counts: usize, chosen: usize, count: u32, cursors: usize, offsets: usize): u32 {
  let end: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const at = usize(chosen ? load<u32>(chosen + (usize(i) << 2)) : i) << 2
    store<u32>(offsets, end)
    store<u32>(cursors + at, end)
    end += load<u32>(counts + at)
    offsets += 4
  }
  store<u32>(offsets, end)
  return end
}

// @ts-ignore: decorator
@inline
function move<T>(groups: usize, count: u32, cursors: usize, values: usize, out: usize): void {
  for (const end = groups + (usize(count) << 2); groups < end; groups += 4) {
    const at = cursors + (usize(load<u32>(groups)) << 2)
    const to = load<u32>(at)
    if (to != u32.MAX_VALUE) {
      store<T>(out + usize(to) * sizeof<T>(), load<T>(values))
      store<u32>(at, to + 1)
    }
    values += sizeof<T>()
  }
}

/** out[cursors[groups[i]]++] = values[i], of `bytes` 1, 2, 4 or 8. */
export function byGroupMove(groups: usize, count: u32, cursors: usize, values: usize, bytes: u32, out: usize): void {
  if (bytes == 8) move<u64>(groups, count, cursors, values, out)
  else if (bytes == 4) move<u32>(groups, count, cursors, values, out)
  else if (bytes == 2) move<u16>(groups, count, cursors, values, out)
  else move<u8>(groups, count, cursors, values, out)
}

/** The groups of values that lie side by side: groupMap[i] from offsets[i] to offsets[i + 1]. */
export function byGroupExpand(groupMap: usize, offsets: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const group = load<u32>(groupMap + (usize(i) << 2))
    const end = out + (usize(load<u32>(offsets + (usize(i) << 2), 4) - load<u32>(offsets + (usize(i) << 2))) << 2)
    for (; out < end; out += 4) store<u32>(out, group)
  }
}
