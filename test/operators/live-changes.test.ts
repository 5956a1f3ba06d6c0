// What a change of a group costs while its windows are open: of all that these have only the cells of the group are looked at.
import { beforeEach, expect, it } from 'vitest'
import { int64 } from '../../src/columnar/type.js'
import { createChangedPanes, createChangedWindows } from '../../src/operators/live-changes.js'
import { makeContext } from './support.js'

const { k } = await makeContext()
const CELLS = 200_000
const PANE_CELLS = 1000
/** Weight, window and cells of what was asked for. */
const asked: [weight: number, window: string, ...cells: number[]][] = []
const given = {
  groupTypes: [int64()],
  endColumn: 0,
  endOf: () => 0n,
  cellCount: () => CELLS,
  isTold: () => true,
  windowsNow(all: Iterable<readonly [window: string, cells: readonly number[]]>, weight: number) {
    for (const [window, cells] of all) asked.push([weight, window, ...cells])
    return []
  },
}

beforeEach(() => {
  asked.length = 0
})

it('asks for the cells that change, where windows follow one another', () => {
  const changes = createChangedWindows(k, { ...given, windowOf: cell => (cell < 100_000 ? 'before' : 'behind') })
  changes.touch([7, 150_000, 7, CELLS - 1], CELLS - 1)
  expect(asked).toEqual([
    [-1, 'before', 7],
    [-1, 'behind', 150_000],
  ])
  asked.length = 0
  expect([...changes.tell(), ...changes.tell()]).toEqual([])
  expect(asked).toEqual([
    [1, 'before', 7],
    [1, 'behind', 150_000, CELLS - 1],
  ])
})

it('asks for the cells that the keys which change have in each window, where these overlap', () => {
  const keysLookedAt: number[] = []
  const paneOf = (cell: number) => Math.floor(cell / PANE_CELLS)
  const changes = createChangedPanes(k, {
    ...given,
    windowsOf: cell => [`to ${paneOf(cell)}`, `to ${paneOf(cell) + 1}`],
    keyOf: cell => cell % PANE_CELLS,
    cellsOf(window, key) {
      keysLookedAt.push(key)
      const last = Number(window.slice(3))
      return [last - 1, last].filter(pane => pane >= 0).map(pane => pane * PANE_CELLS + key)
    },
  })
  changes.touch([7], CELLS)
  expect(asked).toEqual([
    [-1, 'to 0', 7],
    [-1, 'to 1', 7, 1007],
  ])
  asked.length = 0
  // Those of the next pane have had no row yet.
  changes.touch([1007], 1000)
  expect(asked).toEqual([[-1, 'to 2']])
  asked.length = 0
  expect([...changes.tell()]).toEqual([])
  expect(asked).toEqual([
    [1, 'to 0', 7],
    [1, 'to 1', 7, 1007],
    [1, 'to 2', 1007, 2007],
  ])
  expect(new Set(keysLookedAt)).toEqual(new Set([7]))
})
