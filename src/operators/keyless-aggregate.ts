/**
 * `aggregate()` without keys of a job with a budget: the one group must fit, but not the strings that it has met on the way. Once these take too much room
 * the plain operator (aggregate.ts) hands over its state, which has the strings that the results need, begins anew, and takes the state back.
 */
import type { SchemaShape } from '../columnar/type.js'
import { dictionaryOf, type LaneBatch } from '../kernels/lane-vector.js'
import type { Stage } from '../plan/physical.js'
import { createAggregate, type SplitRows } from './aggregate.js'
import type { OperatorContext } from './build.js'
import { createOneDictionary, entryBytes } from './one-dictionary.js'
import type { Breaker, Part } from './operator.js'
import { sliceMorsel } from './slice-morsel.js'
import type { Spill } from './spill.js'

/** Of the room beside scratch, what may be in use before the operator begins anew; where nearly as much still is then, a quarter of what is left beside it. */
const MOST_USED = 0.3
/** Rows that are taken at once whatever their strings are. */
const LEAST_ROWS = 1024

export function createKeylessAggregate(
  context: OperatorContext,
  { account }: Spill,
  stage: Stage & { kind: 'aggregate' },
  input: SchemaShape,
): Breaker {
  const { k } = context
  const { memory } = k
  const strings = createOneDictionary(context)
  let inner = createAggregate(context, stage, input)
  let start: SplitRows | null = null
  let mostUsed = MOST_USED

  const used = () => {
    const scratchBytes = memory.scratchBytesOf(account)
    return (account.usedBytes - scratchBytes) / (account.shareBytes - scratchBytes)
  }

  /** Rows that surely fit, if each had strings of its own and each aggregate made others of them. */
  const fittingRows = ({ columns }: LaneBatch): number => {
    const perRow = columns.map(dictionaryOf).reduce((sum, each) => sum + (each === null ? 0 : entryBytes(each)), 1)
    return (account.shareBytes - account.usedBytes) / (4 * perRow * (1 + stage.accumulators.length))
  }

  /** Returns what has been handed over. */
  function begin(): readonly Part<LaneBatch>[] {
    // Writing takes room too.
    memory.trim()
    const mark = memory.mark()
    const state = [...inner.handOver()].filter(part => part !== null)
    memory.reset(mark)
    inner.free()
    strings.clear()
    memory.trim()
    inner = createAggregate(context, stage, input, start)
    return state
  }

  function takeBack(part: Part<LaneBatch>): void {
    if (part.kind !== 'groups') throw new Error(`groups are taken back here, not ${part.kind}`)
    // When the one group appeared is of no account.
    inner.absorb({ ...part, appearance: new Float64Array(), keys: { rowCount: part.groupCount, vectors: [] } })
  }

  return {
    ...inner,
    // That of the operator of now, which others follow.
    exchange: undefined,
    kernels: () => inner.kernels(),
    spilled: { bytes: 0, pieces: 0, times: 0 },
    consume(morsel, ofSplit) {
      const split = Math.max(0, ofSplit)
      const { rowCount } = morsel
      for (let from = 0; from < rowCount; ) {
        const count = Math.min(rowCount - from, Math.max(LEAST_ROWS, 128 * Math.floor(fittingRows(morsel) / 128)))
        const slice = sliceMorsel(k, morsel, from, count)
        const state = used() > mostUsed ? begin() : []
        // First, for then the strings of the state are coded as those of the rows are.
        inner.consume({ ...strings.recode(slice), rows: slice.rows }, ofSplit)
        state.forEach(takeBack)
        if (state.length > 0) mostUsed = Math.max(MOST_USED, (3 * used() + 1) / 4)
        start = { split, rowCount: (start?.split === split ? start.rowCount : 0) + count }
        from += count
      }
    },
    handOver: () => inner.handOver(),
    absorb: part => inner.absorb(part),
    emit: () => inner.emit(),
    free() {
      inner.free()
      strings.clear()
    },
  }
}
