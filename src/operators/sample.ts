/**
 * `sample`: rows chosen by a hash of the seed, their split and their place in it, so that whatever lane has a row, it is chosen or it is not. Of a fraction
 * each row is decided by itself; of a number those of least hash stay, and a lane keeps little more than that many.
 */
import { uint32 } from '../columnar/type.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import { takeBatch } from '../kernels/select.js'
import type { Stage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { freeHeapBatch } from './heap-batch.js'
import type { Breaker, Morsel } from './operator.js'
import { RowStore } from './row-store.js'

/** Rows that may be kept beyond those that are wanted, before the others are dropped. */
const MOST_WAITING = 65_536

export function createSample(context: OperatorContext, stage: Stage & { kind: 'sample' }): Breaker {
  const { k } = context
  const { memory } = k
  const { count, fraction, seed } = stage
  const store = new RowStore(context)
  const mixed = mix(mix(seed >>> 0) ^ Math.floor(seed / 2 ** 32))
  /** Rows of this hash and above are not kept. */
  let bound = count === null ? (fraction as number) * 2 ** 32 : 2 ** 32
  let place = { split: -Infinity, row: 0 }

  function consume(morsel: Morsel, split: number): void {
    if (place.split !== split) place = { split, row: 0 }
    const { rowCount } = morsel
    const ofSplit = mix(mixed ^ mix(split + 2))
    const indices = memory.scratch(4 * rowCount)
    const hashes = memory.scratch(4 * rowCount)
    const { u32 } = memory
    let kept = 0
    for (let row = 0; row < rowCount; row++) {
      const hash = mix(ofSplit ^ mix(place.row + row + 1))
      if (hash >= bound) continue
      u32[(indices >>> 2) + kept] = row
      u32[(hashes >>> 2) + kept++] = hash
    }
    place.row += rowCount
    if (kept === 0) return
    const left = kept === rowCount ? morsel : takeBatch(k, morsel, indices, kept)
    store.add(count === null ? left : { rowCount: kept, columns: [...left.columns, hashColumn(hashes, kept)] }, split)
    narrowIfMany()
  }

  function narrowIfMany(): void {
    if (count !== null && store.rowCount > count + Math.max(count, MOST_WAITING)) narrow(count)
  }

  /** Keeps the `wanted` rows of least hash, of equal hashes the first. */
  function narrow(wanted: number): void {
    if (store.rowCount <= wanted) return
    const parts = store.take()
    try {
      const all = new Uint32Array(parts.reduce((sum, { batch }) => sum + batch.rowCount, 0))
      let at = 0
      for (const { batch } of parts) {
        all.set(hashesOf(batch), at)
        at += batch.rowCount
      }
      all.sort()
      const last = wanted === 0 ? 0 : all[wanted - 1]
      let equal = wanted
      while (equal > 0 && all[equal - 1] === last) equal--
      let ties = wanted - equal
      // A row of a lane that comes behind these, of a hash as great, may still belong to an earlier split.
      bound = Math.min(bound, last + 1)
      for (const { split, batch } of parts) {
        const mark = memory.mark()
        const indices = memory.scratch(4 * batch.rowCount)
        const hashes = hashesOf(batch)
        const { u32 } = memory
        let kept = 0
        for (let row = 0; row < batch.rowCount; row++) {
          const hash = hashes[row]
          if (hash > last || (hash === last && ties-- <= 0)) continue
          u32[(indices >>> 2) + kept++] = row
        }
        if (kept > 0) store.add(takeBatch(k, batch, indices, kept), split)
        memory.reset(mark)
      }
    } finally {
      for (const { batch } of parts) freeHeapBatch(k, batch)
    }
  }

  const hashesOf = ({ columns, rowCount }: LaneBatch): Uint32Array => {
    const at = (columns.at(-1) as LaneVector).data >>> 2
    return memory.u32.slice(at, at + rowCount)
  }

  return {
    label: count === null ? `sample fraction ${fraction}` : `sample ${count} rows`,
    kernels: () => [],
    consume,
    wants: () => bound > 0 && count !== 0,
    *handOver() {
      if (count !== null) narrow(count)
      yield* store.handOver()
    },
    absorb(part) {
      store.absorb(part)
      narrowIfMany()
    },
    *emit() {
      if (count !== null) narrow(count)
      for (const { batch } of store.drain()) {
        const columns = count === null ? batch.columns : batch.columns.slice(0, -1)
        yield { rowCount: batch.rowCount, columns, rows: 0 }
      }
    },
    free: () => store.free(),
  }
}

const hashColumn = (data: number, length: number): LaneVector => ({
  type: uint32(),
  length,
  data,
  validity: 0,
  dictionary: null,
  range: null,
})

/** A bijection of 32 bits: the finaliser of MurmurHash3, with Stafford's better constants. */
function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
