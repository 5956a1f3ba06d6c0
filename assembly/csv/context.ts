// What the kernels of CSV share: a struct that src/kernels/csv.ts fills, and the search for a byte.
//
//   scan.ts     text ──> separators u32[]: address of every separator outside quotes, one before the first row in front
//                        ends       u32[]: a record each: index of its last separator, with flags in the highest bits
//   table.ts    the same for files whose rows are not all alike: rows left out, filled up, or cut, at a stride of fieldCount + 1 separators
//   numbers.ts, times.ts, text.ts   a column each: field c of row r is [separator before + skip, separator behind)

@unmanaged
export class Csv {
  delimiter: u32
  newline: u32
  /** 256 where there is none, as the next. */
  quote: u32
  comment: u32
  fieldCount: u32
  /** Rows of another number of fields are filled up or cut, and not bad. */
  pad: u32
  /** Null tokens: u32 length and the bytes, one behind the other; a length of u32.MAX_VALUE ends them. */
  tokens: usize
  /** Bit n: there is a token of n bytes; bit 63: of 63 or more. */
  tokenLengths: u64
  /** How many digits may be read at once before tokens are looked at: 0 where a token could be a number. */
  quickDigits: u32
  /** Those of tables.ts. */
  tables: usize
  separators: usize
  ends: usize
  /** u8 for each record: 1 where table.ts shall leave it out. */
  dropped: usize
  table: usize
  tableCapacity: u32
  /** For each row of the table: u32 record, u32 place among the rows passed. */
  places: usize
  /** Four u32 for each bad record: record, fault, detail, place among the rows passed. */
  bad: usize
  badCapacity: u32
  /** u32 for each value that could not be read: row of the table, fault in the highest 8 bits. */
  faults: usize
  /** Where a field is put that is not in the text as it is. */
  work: usize

  // What scan.ts has in mind.
  /** Where the next separator goes, and line breaks so far. */
  out: usize
  lines: u32
  /** Windows to go before rows are again taken to be alike, and how many it was the last time. */
  wait: u32
  patience: u32

  // What the kernels tell:
  /** The address behind the last record. */
  next: usize
  /** 0 where all records are rows of `fieldCount` fields, and `ends` is not written. */
  irregular: u32
  nonAscii: u32
  /** Bytes between the end of a row and the beginning of the next: 2 where all rows end in CRLF, and their separators have been moved to the CR. */
  skip: u32
  nulls: u32
  /** Faults of a column of strings. */
  textFaults: u32
  /** Whether the string read last is as it stands in the text. */
  isPlain: u32
  /** Strings put into the index of short ones. */
  added: u32
  kept: u32
  badCount: u32
  passed: u32
  /** Fields of a row read by `readRow`. */
  found: u32
  fault: u32
  /** Behind the last byte of the file, or 0: a separator there is none. */
  dataEnd: usize
  /** What a value is, without quotes and spaces. */
  at: usize
  end: usize
  value: u64
  /** Strings that had bytes replaced, of those that have codes; the caller begins again from 0. */
  repaired: u32
}

/** In `ends`: no row but a comment. */
export const SKIPPED: u32 = 0x80000000
/** In `ends`: text behind a closing quote, or a quote that nothing closes. */
export const STRAY: u32 = 0x40000000
export const UNCLOSED: u32 = 0x20000000
export const INDEX: u32 = 0x1fffffff

/** Faults of records and of values; the binding words them. */
export const FAULT_STRAY: u32 = 1
export const FAULT_UNCLOSED: u32 = 2
export const FAULT_FIELDS: u32 = 3
export const FAULT_UTF8: u32 = 4
export const FAULT_VALUE: u32 = 5
export const FAULT_OVERFLOW: u32 = 6
export const FAULT_BEYOND: u32 = 7
export const FAULT_NULL: u32 = 8

/** The first place in [at, end) of one of two bytes, or `end`. */
export function find(at: usize, end: usize, a: u32, b: u32): usize {
  const first = i8x16.splat(i8(a))
  const second = i8x16.splat(i8(b))
  while (at < end) {
    const bytes = v128.load(at)
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, first), i8x16.eq(bytes, second)))
    if (mask) return min(at + usize(ctz(mask)), end)
    at += 16
  }
  return end
}

/** The place of the quote that closes, or `end`. */
export function closing(at: usize, end: usize, quote: u32): usize {
  while (true) {
    at = find(at, end, quote, quote)
    if (at + 1 >= end || u32(load<u8>(at, 1)) != quote) return at
    at += 2
  }
}

/** Whether a field ends at `at`: a delimiter, LF or CRLF. */
export function endsField(csv: Csv, at: usize, end: usize): bool {
  const byte = u32(load<u8>(at))
  return byte == csv.delimiter || byte == 10 || (byte == 13 && at + 1 < end && load<u8>(at, 1) == 10)
}
