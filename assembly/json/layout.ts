// The structs of the JSON parser, made by src/kernels/json/layout.ts, which has the same offsets. Who does what:
//
//   rows.ts     the loop over records, one by one        batch.ts      many records at a time, while they are alike
//   record.ts   from one value to the next               quick.ts      values in their usual shape
//   keys.ts     which key is which entry                 value.ts      any value, into a column; number.ts integers, text.ts strings
//   null.ts     what is null, missing, or does not fit   nested.ts     values that nobody wants, checked all the same, with scan.ts
//   codes.ts    codes of strings                         skip-row.ts   past a bad row
//
// Nothing allocates: what finds no room says so in `status`, and the row is begun again. A function that returns where it has come to returns 0
// where it came to an end; `status` then says why.

/** One parser. u32s. */
@unmanaged
export class Parser {
  /** Of the row that comes next, and in a row of the row itself. */
  at: usize
  /** Bytes end here; up to 64 behind may be read, and mean nothing. */
  end: usize
  /** Rows that begin here or later are not taken. */
  stop: usize
  /** IS_END and others. */
  flags: u32
  /** Rows written, and the most there may be. */
  row: u32
  rowEnd: u32
  /** Strings of rows from `groupFrom` on have no codes yet; those of `groupEnd` and more must wait until they have. */
  groupFrom: u32
  groupEnd: u32
  /** Of pointers to columns: first those that a record fills, then their items. */
  columns: usize
  columnCount: u32
  itemCount: u32
  root: Node
  /** Entries of keys: a table of pointers by hash, and room for those of keys that nobody asked for. */
  slots: usize
  slotMask: u32
  seed: u32
  spare: usize
  spareEnd: usize
  /** Bytes of the keys in `spare` entries. */
  keys: usize
  keysEnd: usize
  /** Strings that are not in the text as they are. */
  pool: usize
  poolUsed: u32
  poolEnd: u32
  /** Before this all is known to be UTF-8, or has been dealt with. */
  textLimit: usize
  /** Of the record: tells what has been seen in it from what was before. Never 0. */
  serial: u32
  /** Columns seen in this record. */
  seen: u32
  /** Where an array stands: FIRST and others. */
  state: State
  status: Status
  /** What is wrong, where; its column or 0 where it is the row as a whole. */
  fault: Fault
  faultAt: usize
  faultColumn: usize
  /** What is wrong with the value just read, or NONE: it does not fit its column. */
  misfit: Fault
  misfitAt: usize
  /** Half of a surrogate pair in this record, where that is a fault; or 0. */
  halfAt: usize
  /** Some value of this record did not fit its column. */
  hasMisfits: u32
  /** Of a bad row: where its bytes begin and end. */
  badFrom: usize
  badTo: usize
  /** What there is no room for: bytes of a string; its column. */
  needBytes: u32
  needColumn: usize
  /** Where giving codes stopped for want of room. */
  coding: u32
  codingRow: u32
  /** What jsonParse has to say once all strings have codes. */
  after: Status
  /** The entry come to, the string read, and the object entered instead of reading a value, or 0. */
  entry: Entry
  textAt: usize
  textLength: u32
  entered: Node
  /** Of what is open while a value is skipped: bit is 1 for an object. 1,024 bits. */
  nesting: usize
  /** 8 bytes for a number. */
  number: usize
  /** 10^0 to 10^15 as float64s. */
  powers: usize
  /** Where readAlike has come to. */
  place: usize
  groupRows: u32
  /** Of batches (batch.ts): line breaks found up to `scanned`, those from `line` on of use; and how often to go without them. */
  places: usize
  lines: usize
  line: u32
  lineEnd: u32
  scanned: usize
  hadNull: u32
  pause: u32
  tries: u32
  mayBatch: u32
  /** Strings were repaired since codes were given last; of those that have codes, so many: the caller begins again from 0. */
  hasRepairs: u32
  repaired: u32
}

/** A column, or the items of a list. */
@unmanaged
export class Column {
  /** Inclusive, of integers. */
  least: i64
  greatest: i64
  /** Of a timestamp; of other types 0. */
  ticksPerSecond: i64
  op: Op
  data: usize
  /** A bitmap where it is nullable, else 0. */
  validity: usize
  hasNulls: u32
  /** Strings of the rows from `spansFrom` on: address, then length in u32s; -1 for null. Points to where that of row 0 would be. */
  spans: usize
  spansFrom: u32
  /** StringTable; an index of its short strings (codes.ts), 2^(64 - indexShift) slots of which so many may yet be used, or 0. */
  table: usize
  index: usize
  indexShift: u32
  indexRoom: u32
  /** Of lists: their items. */
  items: Column
  /** Of items: so many there are, and there is room for. */
  count: u32
  capacity: u32
  /** Of the record that it was seen in last, and of the last in which the value did not fit; what was wrong then. */
  serial: u32
  misfitSerial: u32
  misfit: Fault
  misfitAt: usize
  /** Another column with the same path, or 0. */
  next: Column
}

/** An object on the way to columns. */
@unmanaged
export class Node {
  parent: Node
  /** Of the record that it was entered in last. */
  serial: u32
  /** Objects that are open in it, itself included. */
  depth: u32
  /** Pointers to the columns below it. */
  columns: usize
  columnCount: u32
  /** Stands for all keys here that have no entry. */
  other: Entry
}

/**
 * A key of a node. Behind its value there mostly is what was there last time, up to the next value: that is `text`, which is compared in one go
 * and leads to `next`.
 */
@unmanaged
export class Entry {
  text0: u64
  text1: u64
  text2: u64
  text3: u64
  text4: u64
  /** Of the first 8 bytes: 0xff where they are of the text. */
  mask: u64
  /** Up to 40. 0 at first, and the text zeros, which are no JSON. */
  length: u32
  next: Entry
  /** Whether it enters objects or ends the record. */
  crossing: u32
  /** Objects that it enters. */
  entered: u32
  /** 0, or behind this many bytes of the text the next record begins. */
  recordAt: u32
  node: Node
  op: Op
  column: Column
  /** Of an object on the way to columns, else 0. */
  child: Node
  keyAt: usize
  keyLength: u32
  hash: u32
}

// @ts-ignore: decorator
@inline
export const MOST_TEXT: u32 = 40
// @ts-ignore: decorator
@inline
export const MOST_DEPTH: u32 = 1024

/** What is done with a value; src/kernels/json/layout.ts has the same, and of all that follow. */
export const enum Op {
  SKIP = 0,
  TEXT = 1,
  INT32 = 2,
  INT64 = 3,
  FLOAT64 = 4,
  BOOL = 5,
  INT8 = 6,
  INT16 = 7,
  FLOAT32 = 8,
  DATE = 9,
  TIMESTAMP = 10,
  LIST = 11,
  /** An object on the way to columns, or several columns of one key. */
  MANY = 12,
}

export const enum Flag {
  /** No bytes follow. */
  IS_END = 1,
  /** Records are items of an array, else each has a line. */
  IS_ARRAY = 2,
  /** What is no UTF-8 is a fault. */
  IS_FATAL = 4,
}

/** Where an array stands. */
export const enum State {
  FIRST = 0,
  BEHIND_COMMA = 1,
  CLOSED = 2,
  /** What follows is beyond understanding, and told already. */
  LOST = 3,
}

export const enum Status {
  /** No more rows begin before `stop`, or more bytes are needed. */
  DONE = 0,
  /** There is a bad row, before `at`. */
  BAD = 1,
  /** `needColumn` has no room in its dictionary for a string of `needBytes`. */
  TABLE_FULL = 2,
  /** The pool is to have room for `needBytes`. */
  POOL_FULL = 3,
  /** The items of a list, `needColumn`, find no more room. */
  ITEMS_FULL = 4,
  /** For rows.ts only: strings of so many rows have no codes. */
  GROUP_FULL = 5,
}

export const enum Fault {
  NONE = 0,
  RECORD = 1,
  KEY = 2,
  COLON = 3,
  AFTER_MEMBER = 4,
  AFTER_ITEM = 5,
  VALUE = 6,
  NUMBER = 7,
  CONTROL = 8,
  ESCAPE = 9,
  DEPTH = 10,
  BEHIND_RECORD = 11,
  CUT_OFF = 12,
  TRAILING_COMMA = 13,
  BEHIND_ARRAY = 14,
  UNCLOSED_ARRAY = 15,
  HALF_PAIR = 16,
  ILL_FORMED = 17,
  /** From here on values that do not fit their column. */
  MISMATCH = 18,
  OVERFLOW = 19,
  INEXACT = 20,
  NULL = 21,
  MISSING = 22,
  NULL_ITEM = 23,
}
