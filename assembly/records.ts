// Records: fields of several columns side by side, a row after another.
//
//   data   [ f64 | f64 | i32 | u8 | ... room ] [ ... ] ...     each record `stride` bytes, a field at the same place in all
//
// A row that lies anywhere in a table beyond the caches is then fetched once, not once a column.

// @ts-ignore: decorator
@inline
function put<T>(data: usize, count: u32, out: usize, stride: u32): void {
  for (const end = data + usize(count) * sizeof<T>(); data < end; data += sizeof<T>()) {
    store<T>(out, load<T>(data))
    out += stride
  }
}

/** `count` values of `width` bytes, side by side, to a field that is `stride` bytes from one record to the next. */
export function recordsPut(width: u32, data: usize, count: u32, out: usize, stride: u32): void {
  switch (width) {
    case 1: return put<u8>(data, count, out, stride)
    case 2: return put<u16>(data, count, out, stride)
    case 4: return put<u32>(data, count, out, stride)
    default: put<u64>(data, count, out, stride)
  }
}

// @ts-ignore: decorator
@inline
function take<T>(data: usize, stride: u32, rows: usize, count: u32, out: usize): void {
  for (const end = rows + (usize(count) << 2); rows < end; rows += 4) {
    store<T>(out, load<T>(data + usize(load<u32>(rows)) * stride))
    out += sizeof<T>()
  }
}

/** out[i] = the field at `data` of record rows[i]. */
export function recordsTake(width: u32, data: usize, stride: u32, rows: usize, count: u32, out: usize): void {
  switch (width) {
    case 1: return take<u8>(data, stride, rows, count, out)
    case 2: return take<u16>(data, stride, rows, count, out)
    case 4: return take<u32>(data, stride, rows, count, out)
    default: take<u64>(data, stride, rows, count, out)
  }
}
