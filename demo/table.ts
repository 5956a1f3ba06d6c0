/** Tables of results: the head once, then the body again for each answer, always of the same height so that nothing below it jumps. */
import { make } from './dom.js'

export interface TableColumn<R> {
  readonly title: string
  readonly cell: (row: R) => string | Node
  /** Of the cell's width, 0 to 1, to be filled as a bar behind the number. */
  readonly share?: (row: R, rows: readonly R[]) => number
}

/**
 * @param table gets a head and a body; the first column names the row.
 * @param rowCount rows to keep space for
 * @param emptyText said where there are no rows
 */
export function createTable<R>(
  table: HTMLTableElement,
  columns: readonly TableColumn<R>[],
  rowCount: number,
  emptyText: string,
): (rows: readonly R[]) => void {
  const heads = columns.map(({ title }) => make('th', { scope: 'col' }, [title]))
  const body = make('tbody')
  table.replaceChildren(make('thead', {}, [make('tr', {}, heads)]), body)
  const blank = () => {
    const row = make('tr', { ariaHidden: 'true' }, [make('td', { colSpan: columns.length }, ['\u00a0'])])
    row.className = 'blank'
    return row
  }
  const draw = (rows: readonly R[]): HTMLElement[] =>
    rows.map(row =>
      make(
        'tr',
        {},
        columns.map(({ cell, share }, i) => {
          const element = i === 0 ? make('th', { scope: 'row' }, [cell(row)]) : make('td', {}, [cell(row)])
          if (share !== undefined) {
            element.className = 'bar'
            element.style.setProperty('--share', String(share(row, rows)))
          }
          return element
        }),
      ),
    )
  const show = (rows: readonly R[], text = emptyText) => {
    const drawn = draw(rows)
    if (drawn.length === 0 && text !== '') {
      drawn.push(make('tr', { className: 'empty' }, [make('td', { colSpan: columns.length }, [text])]))
    }
    while (drawn.length < rowCount) drawn.push(blank())
    body.replaceChildren(...drawn)
  }
  show([], '')
  return show
}
