/** How many lanes the page runs on: `?lanes=` of its address, else the cores; and the choice that it offers. */
import type { Choice } from './segments.js'

const MOST = 64
const cores = Math.max(1, Math.min(16, navigator.hardwareConcurrency || 1))

/** Of the address; what is no number of lanes counts as none given. */
export function lanesOfAddress(): number {
  const text = new URLSearchParams(location.search).get('lanes') ?? ''
  return /^\d+$/.test(text) && Number(text) <= MOST ? Number(text) : cores
}

/** So that a reload, or a link, runs on as many. */
export function writeLanes(lanes: number): void {
  const url = new URL(location.href)
  url.searchParams.set('lanes', String(lanes))
  history.replaceState(null, '', url)
}

export function laneChoices(current: number): readonly Choice<number>[] {
  const counts = [...new Set([0, 1, 2, cores, current])].sort((a, b) => a - b)
  return counts.map(lanes => ({
    value: lanes,
    label: lanes === 0 ? 'none' : String(lanes),
    title: lanes === 0 ? 'Inline: everything in the thread of the page' : `${lanes} of ${cores} cores`,
  }))
}

export const sayLanes = (lanes: number): string =>
  lanes === 0
    ? 'inline, in the thread of the page'
    : `${lanes === 1 ? 'one worker' : `${lanes} workers`}, nothing shared`
