// Rows where not all records are rows, or have all fields: those to be read, one behind the other, and which records are bad.

import { firstIllFormed } from '../parse/utf8'
import { Csv, FAULT_FIELDS, FAULT_STRAY, FAULT_UNCLOSED, FAULT_UTF8, INDEX, SKIPPED, STRAY, UNCLOSED } from './context'

/**
 * Makes a table of records `from` to `to`, as far as there is room; returns the record reached. A row of it is the address before its first field and
 * `fieldCount` separators; a field that a row lacks has the address of the separator before. Returns in CRLF are left out. `places` has a pair for
 * each row, and `passed` counts the rows, bad and dropped ones too.
 */
export function csvTable(pointer: usize, from: u32, to: u32, checkUtf8: bool): u32 {
  const csv = changetype<Csv>(pointer)
  const fieldCount = csv.fieldCount
  const skip = usize(csv.skip)
  const stride = usize(fieldCount + 1) << 2
  const tableEnd = csv.table + (usize(csv.tableCapacity) << 2)
  let row = csv.table
  let place = csv.places
  let bad: u32 = 0
  let passed: u32 = 0
  let record = from
  while (record < to && bad < csv.badCapacity && row + stride <= tableEnd) {
    const word = endOf(csv, record)
    const first = record ? endOf(csv, record - 1) & INDEX : 0
    const count = (word & INDEX) - first
    let separator = csv.separators + (usize(first) << 2)
    const start = usize(load<u32>(separator)) + skip
    let end = usize(load<u32>(csv.separators + (usize(word & INDEX) << 2)))
    if (skip == 1 && end > start && end != csv.dataEnd && load<u8>(end - 1) == 13) end--
    record++
    if (word & SKIPPED) continue
    if (count == 1 && end == start && fieldCount > 1) continue
    let fault: u32 = 0
    let detail = count
    if (word & (STRAY | UNCLOSED)) fault = word & STRAY ? FAULT_STRAY : FAULT_UNCLOSED
    else if (count != fieldCount && !csv.pad) {
      fault = FAULT_FIELDS
      if (csv.found) detail = csv.found
    } else if (checkUtf8) {
      detail = firstIllFormed(start, u32(end - start))
      if (detail < u32(end - start)) fault = FAULT_UTF8
    }
    if (fault) {
      const at = csv.bad + (usize(bad) << 4)
      store<u32>(at, record - 1)
      store<u32>(at, fault, 4)
      store<u32>(at, detail, 8)
      store<u32>(at, passed, 12)
      bad++
    } else if (load<u8>(csv.dropped + usize(record - 1)) == 0) {
      store<u32>(row, u32(start - 1))
      const stop = row + (usize(min(count, fieldCount)) << 2)
      for (let at = row; at < stop; ) {
        separator += 4
        at += 4
        store<u32>(at, load<u32>(separator))
      }
      if (count <= fieldCount) {
        store<u32>(stop, u32(end))
        for (let at = stop; at < row + stride - 4; at += 4) store<u32>(at, u32(end), 4)
      }
      row += stride
      store<u32>(place, record - 1)
      store<u32>(place, passed, 4)
      place += 8
    }
    passed++
  }
  csv.passed = passed
  csv.badCount = bad
  csv.kept = u32((row - csv.table) / stride)
  return record
}

// @ts-ignore: decorator
@inline
function endOf(csv: Csv, record: u32): u32 {
  return csv.irregular ? load<u32>(csv.ends + (usize(record) << 2)) : (record + 1) * csv.fieldCount
}

/** Whether the records, or what lies between them, have bytes that are no UTF-8. */
export function csvIllFormed(pointer: usize): bool {
  const csv = changetype<Csv>(pointer)
  const start = usize(load<u32>(csv.separators)) + usize(csv.skip)
  const length = u32(csv.next - start)
  return firstIllFormed(start, length) < length
}
