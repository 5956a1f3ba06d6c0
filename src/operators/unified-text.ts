/**
 * Operands with strings of several dictionaries, coded by one of their own. An entry is mapped when a row first has it, once while its dictionary
 * stays the same; where one is replaced (a job that has spilled), the own one begins anew too, so that it holds no more than they do.
 */
import { int32 } from '../columnar/type.js'
import { recode } from '../kernels/conditions.js'
import type { Operand } from '../kernels/operand.js'
import { isScalar } from '../kernels/scalar.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from './build.js'

export interface UnifiedText {
  /** The same operands with codes into `dictionary`, in scratch; of a constant the code is the value. As many of them each time, in the same order. */
  unify(operands: readonly Operand[]): { readonly operands: Operand[]; readonly dictionary: LaneDictionary }
  free(): void
}

interface CodeMap {
  readonly dictionary: LaneDictionary
  /** u32 per entry of `dictionary`: its code in the own one, or -1. */
  pointer: number
  length: number
  capacity: number
}

export function createUnifiedText({ k, dictionaries: pool }: OperatorContext): UnifiedText {
  const { memory } = k
  let own: LaneDictionary | null = null
  let maps: (CodeMap | undefined)[] = []
  return {
    unify(operands) {
      const isReplaced = operands.some(
        (operand, i) =>
          !isScalar(operand) &&
          operand.dictionary !== null &&
          (maps[i]?.dictionary ?? operand.dictionary) !== operand.dictionary,
      )
      if (isReplaced) free()
      own ??= pool.create()
      const dictionary = own
      return { operands: operands.map((operand, i) => coded(operand, i, dictionary)), dictionary }
    },
    free,
  }

  function coded(operand: Operand, i: number, dictionary: LaneDictionary): Operand {
    if (isScalar(operand)) {
      const { value } = operand
      return { type: int32(), value: value === null ? null : dictionary.internStrings([String(value)])[0] }
    }
    const { data, validity, length, dictionary: theirs } = operand
    const codes = memory.scratch(4 * length)
    if (theirs === null) {
      // All null: the least of no strings has none.
      memory.u32.fill(0, codes >>> 2, (codes >>> 2) + length)
      return { ...operand, data: codes, dictionary }
    }
    const map = mapOf(i, theirs)
    dictionary.internBy(
      length,
      (table, row) =>
        recode(k, { table, codes: data, validity, row, length, entries: theirs, map: map.pointer, out: codes }),
      row => entryBytes(theirs, memory.u32[(data >>> 2) + row]),
    )
    return { ...operand, data: codes, dictionary }
  }

  function entryBytes({ offsets }: LaneDictionary, entry: number): number {
    const at = (offsets >>> 2) + entry
    return memory.u32[at + 1] - memory.u32[at]
  }

  /** Where nothing is null there is an entry; else code 0 may name none, and is mapped too. */
  function mapOf(i: number, dictionary: LaneDictionary): CodeMap {
    maps[i] ??= { dictionary, pointer: 0, length: 0, capacity: 0 }
    const map = maps[i] as CodeMap
    const length = Math.max(1, dictionary.length)
    if (length > map.capacity) {
      map.capacity = Math.max(length, 2 * map.capacity)
      map.pointer = memory.reallocate(map.pointer, 4 * map.capacity)
    }
    if (length > map.length) memory.u32.fill(0xffffffff, (map.pointer >>> 2) + map.length, (map.pointer >>> 2) + length)
    map.length = Math.max(map.length, length)
    return map
  }

  function free(): void {
    for (const map of maps) if (map !== undefined) memory.free(map.pointer)
    maps = []
    if (own !== null) pool.release(own)
    own = null
  }
}
