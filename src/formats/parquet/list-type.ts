/**
 * Which nested columns are lists that can be read: one level of items of a flat type, in each of the forms that writers have given them.
 * list-reader.ts makes rows of their levels.
 *
 * ```
 *   optional group tags (LIST) { repeated group list { optional binary element (STRING) } }    as the format asks
 *   optional group tags (LIST) { repeated binary array (STRING) }                              older writers: no item is null
 *   repeated binary tags (STRING)                                                              no list and no item is null
 * ```
 */
import type { SchemaElement } from './column-type.js'

/** What definition levels say: below `list` the list is null, below `item` it is empty, below `most` the item is null. */
export interface ListLevels {
  readonly list: number
  readonly item: number
  readonly most: number
}

/** The item's element and the levels of a column's subtree, which lists elements depth first; null where it is no list of flat items. */
export function listOf(subtree: readonly SchemaElement[]): { item: SchemaElement; levels: ListLevels } | null {
  const [top, repeated, item] = subtree as [SchemaElement, SchemaElement | undefined, SchemaElement | undefined]
  if (top.repetition === 'REPEATED') {
    return top.physical === null || isAnnotatedList(top) ? null : { item: top, levels: { list: 0, item: 1, most: 1 } }
  }
  if (!isAnnotatedList(top) || top.childCount !== 1 || repeated?.repetition !== 'REPEATED') return null
  const list = top.repetition === 'OPTIONAL' ? 1 : 0
  if (repeated.physical !== null) return { item: repeated, levels: { list, item: list + 1, most: list + 1 } }
  if (isItemOfList(subtree) || item === undefined || item.physical === null || item.repetition === 'REPEATED')
    return null
  return { item, levels: { list, item: list + 1, most: list + (item.repetition === 'OPTIONAL' ? 2 : 1) } }
}

/** Whether the repeated group of an annotated list is an item itself: by these names older writers meant a list of groups of one field. */
export function isItemOfList([top, repeated]: readonly SchemaElement[]): boolean {
  return repeated?.childCount !== 1 || repeated.name === 'array' || repeated.name === `${top?.name}_tuple`
}

const isAnnotatedList = ({ logical, converted }: SchemaElement): boolean => (logical?.name ?? converted) === 'LIST'
