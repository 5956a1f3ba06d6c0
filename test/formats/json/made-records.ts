/** Records of JSON that a test makes, of which it knows what is in them. */
import fc from 'fast-check'
import { type Known, knownColumn } from '../sorted-values.js'

const SORTS = ['bool', 'integer', 'wide', 'float', 'date', 'time', 'text'] as const
type Path = readonly string[]

const jsonOf = ({ text, sort }: Known): string => {
  if (sort === 'bool') return text.toLowerCase()
  return sort === 'integer' || sort === 'wide' || sort === 'float' ? text : JSON.stringify(text)
}

export interface Made {
  readonly paths: readonly Path[]
  /** A column for each path; of lists one value each. */
  readonly table: readonly (readonly (Known | null)[])[]
  readonly isList: readonly boolean[]
  readonly records: readonly string[]
}

/** Records in which fields lie in objects, lack or are null, of one sort or of two. */
export const made: fc.Arbitrary<Made> = fc
  .record({
    paths: fc.shuffledSubarray(
      [['id'], ['größe'], ['"q"'], ['a', 'x'], ['a', 'y'], ['b', 'c', 'd'], ['b', 'e'], ['__proto__']],
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    rows: fc.integer({ min: 1, max: 8 }),
    space: fc.constantFrom('', ' '),
  })
  .chain(({ paths, rows, space }) =>
    fc
      .tuple(
        fc.tuple(...paths.map(() => knownColumn(rows, SORTS))),
        fc.array(fc.boolean(), { minLength: paths.length, maxLength: paths.length }),
        fc.array(fc.boolean(), { minLength: rows, maxLength: rows }),
      )
      .map(([table, isList, writesNulls]) => {
        const cell = (column: number, row: number): string | null => {
          const value = table[column][row]
          if (value === null) return writesNulls[row] ? 'null' : null
          return isList[column] ? `[${jsonOf(value)},${space}null]` : jsonOf(value)
        }
        const members = (prefix: Path, row: number): string => {
          const parts: string[] = []
          const done = new Set<string>()
          for (const [c, path] of paths.entries()) {
            if (!prefix.every((key, i) => key === path[i]) || done.has(path[prefix.length])) continue
            const key = path[prefix.length]
            done.add(key)
            const text = path.length === prefix.length + 1 ? cell(c, row) : members([...prefix, key], row)
            if (text !== null) parts.push(`${JSON.stringify(key)}:${space}${text}`)
          }
          return `{${parts.join(`,${space}`)}}`
        }
        return { paths, table, isList, records: Array.from({ length: rows }, (_, row) => members([], row)) }
      }),
  )
