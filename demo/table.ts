/** Tables of results: made once, then filled again for each answer; always of the same height, so that nothing below them jumps. */
import { make } from './dom.js'

export interface TableColumn<R> {
  readonly title: string
  readonly text: (row: R) => string
  /** Beside the text, and softer. */
  readonly detail?: (row: R) => string
  /** Of the cell's width, -1 to 1, to be filled as a bar behind the number; what is below 0 is of the class `below`. */
  readonly share?: (row: R, rows: readonly R[]) => number
}

interface Cell {
  readonly element: HTMLElement
  readonly text: Text
  readonly detail: Text | null
}

/**
 * @param table gets a head and a body; the first column names the row.
 * @param rowCount how many rows there can be
 * @param emptyText said where there is none
 */
export function createTable<R>(
  table: HTMLTableElement,
  columns: readonly TableColumn<R>[],
  rowCount: number,
  emptyText: string,
): (rows: readonly R[]) => void {
  // Cells are kept and only their texts change: with new ones the layout of each answer takes twice as long.
  const lines = Array.from({ length: rowCount }, () => {
    const cells = columns.map(makeCell)
    const row = make(
      'tr',
      { className: 'blank' },
      cells.map(({ element }) => element),
    )
    return { row, cells }
  })
  const heads = columns.map(({ title, share }) =>
    make('th', { scope: 'col', className: share === undefined ? '' : 'bar' }, [title]),
  )
  const empty = make('caption', { className: 'empty' })
  table.replaceChildren(
    empty,
    make('thead', {}, [make('tr', {}, heads)]),
    make(
      'tbody',
      {},
      lines.map(({ row }) => row),
    ),
  )

  return rows => {
    empty.textContent = rows.length === 0 ? emptyText : ''
    lines.forEach(({ row, cells }, i) => {
      const isBlank = i >= rows.length
      row.className = isBlank ? 'blank' : ''
      row.ariaHidden = isBlank ? 'true' : null
      cells.forEach(({ element, text, detail }, c) => {
        const column = columns[c]
        text.data = isBlank ? '' : column.text(rows[i])
        if (detail !== null) detail.data = isBlank ? '' : (column.detail?.(rows[i]) ?? '')
        if (column.share !== undefined) {
          const share = isBlank ? 0 : column.share(rows[i], rows)
          element.style.setProperty('--share', Math.abs(share).toFixed(3))
          element.classList.toggle('below', share < 0)
        }
      })
    })
  }
}

function makeCell<R>(column: TableColumn<R>, position: number): Cell {
  const text = new Text()
  const element = position === 0 ? make('th', { scope: 'row' }) : make('td')
  if (column.share !== undefined) element.className = 'bar'
  if (column.detail === undefined) {
    element.append(text)
    return { element, text, detail: null }
  }
  const detail = new Text()
  element.append(make('span', { className: 'code' }, [text]), ' ', make('small', {}, [detail]))
  return { element, text, detail }
}
