// Numbers rows by their keys, exactly and without a string or an object a row: what reference.js groups by and check.js finds groups with.

/** Spreads the bits of a key over the table; the multipliers are those of MurmurHash3. */
const FIRST_MULTIPLIER = 0xcc9e2d51
const SECOND_MULTIPLIER = 0x85ebca6b

/**
 * An open-addressing table over columns of int32 keys, which it does not copy: a slot holds 1 + the row whose key stands there, or 0.
 * At most half of the slots are taken, so probing is short with ten million keys of six columns too.
 */
export class KeyTable {
  #columns
  #slots
  #mask

  /**
   * @param {Int32Array[]} columns the keys of the rows that are added; at least one column
   * @param {number} capacity the most rows that will be added
   */
  constructor(columns, capacity) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * capacity)))
    this.#columns = columns
    this.#slots = new Int32Array(size)
    this.#mask = size - 1
  }

  /**
   * Finds a row's key among those added, and adds it where it is not there.
   *
   * @param {number} row of the table's own columns
   * @returns {number} the row that was added first with this key: `row` itself where it is new
   */
  add(row) {
    const slots = this.#slots
    let slot = this.#slotOf(this.#columns, row)
    while (slots[slot] !== 0) {
      if (this.#isEqual(slots[slot] - 1, this.#columns, row)) return slots[slot] - 1
      slot = (slot + 1) & this.#mask
    }
    slots[slot] = row + 1
    return row
  }

  /**
   * @param {Int32Array[]} columns keys in the order of the table's columns
   * @param {number} row of `columns`
   * @returns {number} the row that was added with this key, or -1
   */
  find(columns, row) {
    const slots = this.#slots
    let slot = this.#slotOf(columns, row)
    while (slots[slot] !== 0) {
      if (this.#isEqual(slots[slot] - 1, columns, row)) return slots[slot] - 1
      slot = (slot + 1) & this.#mask
    }
    return -1
  }

  #slotOf(columns, row) {
    let hash = 0
    for (let i = 0; i < columns.length; i++) {
      hash = Math.imul(hash ^ columns[i][row], FIRST_MULTIPLIER)
      hash = Math.imul(hash ^ (hash >>> 15), SECOND_MULTIPLIER)
    }
    return (hash ^ (hash >>> 13)) & this.#mask
  }

  #isEqual(own, columns, row) {
    for (let i = 0; i < columns.length; i++) {
      if (this.#columns[i][own] !== columns[i][row]) return false
    }
    return true
  }
}

/**
 * Numbers groups in order of first appearance.
 *
 * @param {Int32Array[]} columns keys, as long as `rowCount`
 * @param {number} rowCount
 * @returns {{ groupOf: Int32Array, groupCount: number, firstRow: Int32Array }} a group's number by row, and each group's first row
 */
export function groupRows(columns, rowCount) {
  const table = new KeyTable(columns, mostGroups(columns, rowCount))
  const groupOf = new Int32Array(rowCount)
  const firstRow = new Int32Array(rowCount)
  let groupCount = 0
  for (let row = 0; row < rowCount; row++) {
    const first = table.add(row)
    if (first === row) {
      firstRow[groupCount] = row
      groupOf[row] = groupCount++
    } else {
      groupOf[row] = groupOf[first]
    }
  }
  return { groupOf, groupCount, firstRow: firstRow.slice(0, groupCount) }
}

/** There are no more groups than rows, nor than combinations of the values of each key: a hundred groups of 10^8 rows need a small table. */
function mostGroups(columns, rowCount) {
  let combinations = 1
  for (const column of columns) {
    let [least, most] = [Infinity, -Infinity]
    for (let row = 0; row < rowCount; row++) {
      if (column[row] < least) least = column[row]
      if (column[row] > most) most = column[row]
    }
    combinations *= most - least + 1
  }
  return Math.min(rowCount, combinations)
}
