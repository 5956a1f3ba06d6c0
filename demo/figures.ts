/** The strip of figures under the charts: for each a name, a value and a line of detail. What they measure is meter.ts and main.ts. */
import { make } from './dom.js'

/** Sets one figure. */
export type SetFigure<N extends string> = (name: N, value: string, detail: string) => void

/** @param list an empty `dl` */
export function createFigures<N extends string>(list: HTMLElement, names: readonly N[]): SetFigure<N> {
  const figures = new Map(
    names.map(name => {
      const value = make('dd', { className: 'value' }, ['–'])
      const detail = make('dd', { className: 'detail' }, ['\u00a0'])
      list.append(make('div', {}, [make('dt', {}, [name]), value, detail]))
      return [name, { value, detail }] as const
    }),
  )
  return (name, value, detail) => {
    const figure = figures.get(name) as { value: HTMLElement; detail: HTMLElement }
    figure.value.textContent = value
    figure.detail.textContent = detail
  }
}
