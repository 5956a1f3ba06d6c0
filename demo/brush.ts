/** A one-dimensional brush over equal bins: two handles that are sliders to the keyboard, and a window to drag. histogram.ts draws what lies under it. */
import type { BinRange } from './delay-range.js'
import { make } from './dom.js'

export interface BrushOptions {
  readonly binCount: number
  /** Names of the two handles. */
  readonly labels: { readonly first: string; readonly end: string }
  /** The id of an element that explains the keys. */
  readonly describedBy: string
  /** What a screen reader says of a bound: a handle's value in words. */
  readonly sayBound: (bin: number, side: 'first' | 'end') => string
  /** The number that a bound stands for. */
  readonly valueOfBound: (bin: number) => number
  /** Told each time the user changes the selection, never by `select`. */
  readonly onChange: (selection: BinRange) => void
}

export interface Brush {
  readonly element: HTMLElement
  select(selection: BinRange): void
  enable(enabled: boolean): void
}

/** Bins moved by Page Up and Page Down. */
const PAGE = 6

type Drag =
  | { readonly kind: 'first' | 'end' }
  | { readonly kind: 'window'; readonly from: BinRange; readonly grabbedAt: number }
  /** A selection being drawn from the bin where the pointer went down. */
  | { readonly kind: 'new'; readonly anchor: number }

export function createBrush({ binCount, labels, describedBy, sayBound, valueOfBound, onChange }: BrushOptions): Brush {
  const shade = { before: make('div', { className: 'shade' }), after: make('div', { className: 'shade after' }) }
  const pane = make('div', { className: 'window' })
  const handles = { first: makeHandle('first'), end: makeHandle('end') }
  const element = make('div', { className: 'brush' }, [shade.before, shade.after, pane, handles.first, handles.end])
  const all: BinRange = { first: 0, end: binCount }
  let selection = all
  let enabled = false
  let drag: Drag | null = null

  function makeHandle(side: 'first' | 'end'): HTMLElement {
    const handle = make('div', { className: `handle ${side}`, role: 'slider', tabIndex: 0 })
    handle.setAttribute('aria-label', labels[side])
    handle.setAttribute('aria-describedby', describedBy)
    handle.addEventListener('keydown', event => pressKey(event, side))
    return handle
  }

  function draw(): void {
    const { first, end } = selection
    const percent = (bin: number) => `${(bin / binCount) * 100}%`
    shade.before.style.width = percent(first)
    shade.after.style.width = percent(binCount - end)
    pane.style.left = percent(first)
    pane.style.width = percent(end - first)
    for (const side of ['first', 'end'] as const) {
      const handle = handles[side]
      handle.style.left = percent(selection[side])
      handle.ariaValueMin = String(valueOfBound(side === 'first' ? 0 : first + 1))
      handle.ariaValueMax = String(valueOfBound(side === 'first' ? end - 1 : binCount))
      handle.ariaValueNow = String(valueOfBound(selection[side]))
      handle.ariaValueText = sayBound(selection[side], side)
    }
    element.classList.toggle('full', first === 0 && end === binCount)
  }

  function change(to: BinRange): void {
    if (to.first === selection.first && to.end === selection.end) return
    selection = to
    draw()
    onChange(to)
  }

  function moveHandle(side: 'first' | 'end', bin: number): void {
    const { first, end } = selection
    if (side === 'first') change({ first: clamp(bin, 0, end - 1), end })
    else change({ first, end: clamp(bin, first + 1, binCount) })
  }

  function moveWindow(from: BinRange, by: number): void {
    const shift = clamp(by, -from.first, binCount - from.end)
    change({ first: from.first + shift, end: from.end + shift })
  }

  function pressKey(event: KeyboardEvent, side: 'first' | 'end'): void {
    if (!enabled || event.ctrlKey || event.metaKey || event.altKey) return
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -PAGE,
      PageUp: PAGE,
      Home: -binCount,
      End: binCount,
    }
    const step = steps[event.key]
    if (event.key === 'Escape') change(all)
    else if (step === undefined) return
    else if (event.shiftKey) moveWindow(selection, step)
    else moveHandle(side, selection[side] + step)
    event.preventDefault()
  }

  /** In bins, from the left; fractional. */
  function positionOf(event: PointerEvent): number {
    const { left, width } = element.getBoundingClientRect()
    return ((event.clientX - left) / width) * binCount
  }

  function grab(event: PointerEvent): Drag {
    const at = positionOf(event)
    const side = (['first', 'end'] as const).find(side => handles[side].contains(event.target as Node))
    if (side !== undefined) return { kind: side }
    const isFull = element.classList.contains('full')
    if (!isFull && at >= selection.first && at < selection.end) {
      return { kind: 'window', from: selection, grabbedAt: at }
    }
    return { kind: 'new', anchor: at }
  }

  element.addEventListener('pointerdown', event => {
    if (!enabled || event.button !== 0) return
    drag = grab(event)
    element.setPointerCapture(event.pointerId)
    element.classList.add('dragging')
    if (drag.kind === 'first' || drag.kind === 'end') handles[drag.kind].focus()
    event.preventDefault()
  })
  element.addEventListener('pointermove', event => {
    if (drag === null) return
    const at = positionOf(event)
    if (drag.kind === 'window') moveWindow(drag.from, Math.round(at - drag.grabbedAt))
    else if (drag.kind === 'new') {
      const [low, high] = drag.anchor < at ? [drag.anchor, at] : [at, drag.anchor]
      // A click is no selection: it takes a third of a bin to begin one.
      if (high - low > 1 / 3 || element.classList.contains('drawing')) {
        element.classList.add('drawing')
        const first = clamp(Math.floor(low), 0, binCount - 1)
        change({ first, end: clamp(Math.ceil(high), first + 1, binCount) })
      }
    } else moveHandle(drag.kind, Math.round(at))
  })
  const drop = (): void => {
    if (drag?.kind === 'new' && !element.classList.contains('drawing')) change(all)
    drag = null
    element.classList.remove('dragging', 'drawing')
  }
  element.addEventListener('pointerup', drop)
  // The browser took the pointer over, to scroll: what was selected stays.
  element.addEventListener('pointercancel', () => {
    drag = null
    element.classList.remove('dragging', 'drawing')
  })

  const brush: Brush = {
    element,
    select(next) {
      selection = next
      draw()
    },
    enable(next) {
      enabled = next
      element.classList.toggle('disabled', !next)
      for (const handle of [handles.first, handles.end]) {
        handle.ariaDisabled = String(!next)
        handle.tabIndex = next ? 0 : -1
      }
    },
  }
  brush.enable(false)
  draw()
  return brush
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most)
