/** A zone's offsets in a lane's memory, for the instants that have been met: assembly/times/zones.ts draws it. */

import { CYCLE_SECOND, CYCLE_SECONDS, offsetsOf, type ZoneOffsets } from '../expressions/zone-offsets.js'
import type { Kernels } from '../kernels/instance.js'
import { ZONE_BYTES } from '../kernels/times.js'

export interface ZoneTable {
  /** Pointer, good until the next call, for instants and clocks from `min` to `max`. */
  covering(range: { readonly min: bigint; readonly max: bigint }, perSecond: bigint): number
  free(): void
}

const INT64_MIN = -(2n ** 63n)
/** No second that counts is further out: the year 9,999,999 of a timestamp in seconds is. */
const MOST_SECONDS = 3e14

export function createZoneTable({ memory }: Kernels, zone: string): ZoneTable {
  const blocks: number[] = []
  let written = ''
  const free = () => {
    for (const block of blocks.splice(0)) memory.free(block)
    written = ''
  }
  return {
    covering({ min, max }, perSecond) {
      const seconds = (ticks: bigint) => Math.max(-MOST_SECONDS, Math.min(MOST_SECONDS, Number(ticks / perSecond)))
      const offsets = offsetsOf(zone, seconds(min), seconds(max))
      const version = `${perSecond} ${offsets.starts.length} ${offsets.starts[0]}`
      if (version !== written) {
        free()
        write(offsets, perSecond)
        written = version
      }
      return blocks[0]
    },
    free,
  }

  function write({ starts, offsets }: ZoneOffsets, perSecond: bigint): void {
    // Of those that an int64 holds with room for a few days; the first is from ever on.
    const most = 2n ** 63n / perSecond - 400_000n
    const kept = starts.map((_, i) => i).filter(i => i === 0 || BigInt(Math.abs(starts[i])) < most)
    for (const byteLength of [ZONE_BYTES, 8 * kept.length, 8 * kept.length]) blocks.push(memory.allocate(byteLength))
    const [header, startsAt, offsetsAt] = blocks
    kept.forEach((from, i) => {
      memory.i64[(startsAt >>> 3) + i] = i === 0 ? INT64_MIN : BigInt(starts[from]) * perSecond
      memory.i64[(offsetsAt >>> 3) + i] = BigInt(offsets[from]) * perSecond
    })
    memory.u32.set([startsAt, offsetsAt, kept.length, 0], header >>> 2)
    const isCyclic = BigInt(CYCLE_SECOND) < most
    memory.i64[(header >>> 3) + 2] = isCyclic ? BigInt(CYCLE_SECOND) * perSecond : 0n
    memory.i64[(header >>> 3) + 3] = isCyclic ? BigInt(CYCLE_SECONDS) * perSecond : 0n
  }
}
