/**
 * What parsers of text have in common: the shapes of files that they are made for, and rows parsed from bytes in a lane's memory.
 * csv.ts and json.ts are the parsers; where the bytes come from is no business of theirs.
 */
import type { DataType } from '../columnar/type.js'
import type { ErrorCode } from '../errors.js'
import type { LaneVector } from './lane-vector.js'

/** A CSV file, as plain data. */
export interface CsvShape {
  /** All columns of the file, in order. */
  readonly fields: readonly string[]
  /** Of each; those that are nullable may be null. */
  readonly types: readonly DataType[]
  /** One ASCII character, as are the next two. */
  readonly delimiter: string
  readonly quote: string | null
  /** Lines that begin with it are skipped. */
  readonly comment: string | null
  /** Unquoted fields that are null. */
  readonly nulls: readonly string[]
  /** Pad: short rows are filled with null, and what a row has beyond its fields is ignored. */
  readonly ragged: 'error' | 'pad'
  /** Ill-formed UTF-8 makes a bad row; otherwise it is replaced by U+FFFD. */
  readonly fatal: boolean
  /** Bad rows are left out and told; otherwise the first ends the parsing. */
  readonly collect: boolean
}

/** Records of JSON, as plain data. */
export interface JsonShape {
  readonly fields: readonly string[]
  /** Where in a record each field is: keys, outermost first. */
  readonly paths: readonly (readonly string[])[]
  /** A list of scalars for an array; a utf8 column has an object or an array as its JSON text. */
  readonly types: readonly DataType[]
  /** A record a line, or the records of one array, from behind its bracket. */
  readonly layout: 'lines' | 'array'
  /** Of an array that is within a document: what follows its bracket is not looked at. */
  readonly isInner?: boolean
  readonly fatal: boolean
  readonly collect: boolean
}

/** A row that could not be read. `row` and `byteOffset` count from the beginning of what was parsed. */
export interface BadRow {
  readonly row: number
  readonly byteOffset: number
  /** Null where it is the row as a whole. */
  readonly column: string | null
  readonly code: ErrorCode
  /** What is wrong and what to try, without place and code. */
  readonly message: string
  /** The row as it is in the file, at most 200 characters. */
  readonly text: string
}

export interface ParsedRows {
  /** At most 65,536 rows, in scratch. `rows`: u32 pointer to the place of each row among those read; 0 where none was left out. */
  readonly morsel: { readonly rowCount: number; readonly columns: readonly LaneVector[]; readonly rows: number }
  /** Rows passed, those left out too. */
  readonly rowsRead: number
  /** Bytes passed: where the next row begins. 0 and no rows: more bytes are needed for one. */
  readonly consumed: number
  /** Rows left out; where bad rows are not collected at most one, behind the rows of the morsel. */
  readonly bad: readonly BadRow[]
  /** Strings among the rows of the morsel whose ill-formed parts were replaced by U+FFFD. */
  readonly illFormed: number
}

export interface TextParser {
  /**
   * Whole rows of the `length` bytes at `pointer` that begin before `limit`, in scratch, whose reset is the caller's. 64 bytes behind may be read.
   * @param isEnd no bytes follow, so the last row needs no line break.
   */
  parse(pointer: number, length: number, limit: number, isEnd: boolean): ParsedRows
  /**
   * The first row that begins after byte 0 of what is cut out of a file anywhere; where quotes leave doubt, a good guess, to be checked against where
   * the part before ends. -1: more bytes are needed.
   */
  findStart(pointer: number, length: number, isEnd: boolean): number
  free(): void
}
