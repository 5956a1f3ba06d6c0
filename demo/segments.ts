/** A row of choices of which one holds: radio buttons in a fieldset of index.html, drawn as one segmented control. */
import { make } from './dom.js'

export interface Choice<V> {
  readonly label: string
  readonly value: V
  /** For a tooltip. */
  readonly title?: string
}

/** @param fieldset with a legend and an empty `.segments`; its id names the group. */
export function createSegments<V>(
  fieldset: HTMLElement,
  choices: readonly Choice<V>[],
  chosen: V,
  onChoose: (value: V) => void,
): void {
  const labels = choices.map(({ label, value, title = '' }) => {
    const input = make('input', { type: 'radio', name: fieldset.id, value: String(value), checked: value === chosen })
    input.addEventListener('change', () => onChoose(value))
    return make('label', { title }, [input, make('span', {}, [label])])
  })
  ;(fieldset.querySelector('.segments') as HTMLElement).replaceChildren(...labels)
}
