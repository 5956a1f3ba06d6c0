/** Where inputs of a union come together: their columns under the types that hold them all, and strings in one dictionary a column, whichever input they come from. */
import { leafType, type SchemaShape } from '../columnar/type.js'
import { type CodeMap, createCodeMap } from '../kernels/code-map.js'
import type { LaneVector } from '../kernels/lane-vector.js'
import { remapText } from '../kernels/pairs.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from './build.js'
import type { Transform } from './operator.js'

interface OwnText {
  readonly dictionary: LaneDictionary
  readonly map: CodeMap
}

export function createUnion({ k, dictionaries: pool }: OperatorContext, output: SchemaShape): Transform {
  const types = Object.values(output)
  const texts: (OwnText | undefined)[] = []
  const textOf = (i: number): OwnText => {
    const before = texts[i]
    if (before !== undefined) return before
    const dictionary = pool.create()
    const made = { dictionary, map: createCodeMap(k, dictionary, true) }
    texts[i] = made
    return made
  }
  const letGo = (i: number) => {
    const own = texts[i]
    if (own === undefined) return
    own.map.free()
    pool.release(own.dictionary)
    texts[i] = undefined
  }
  const recoded = (column: LaneVector, i: number): LaneVector => {
    if (column.child) return { ...column, child: recoded(column.child, i) }
    const { dictionary, map } = textOf(i)
    return remapText(k, column, map, dictionary)
  }
  return {
    label: 'union',
    kernels: () => [],
    apply: morsel => ({
      rowCount: morsel.rowCount,
      rows: morsel.rows,
      columns: morsel.columns.map((column, i) => {
        const type = types[i]
        return { ...(leafType(type).kind === 'utf8' ? recoded(column, i) : column), type }
      }),
    }),
    renew(mostBytes) {
      types.forEach((_, i) => {
        if ((texts[i]?.dictionary.byteLength ?? 0) >= mostBytes) letGo(i)
      })
    },
    free() {
      types.forEach((_, i) => {
        letGo(i)
      })
    },
  }
}
