/**
 * Rows of two inputs that have come, each looked up by those of the other that come after it. They are kept in segments, each with an index of its own; a segment is put together with one
 * that is not much larger, so that a row is indexed a few times only. It goes when the watermark is past all of its partners.
 */
import { RecordBatch } from '../columnar/record-batch.js'
import { schemaOf } from '../columnar/schema.js'
import { type DataType, int64, type SchemaShape } from '../columnar/type.js'
import type { Vector } from '../columnar/vector.js'
import type { Expression } from '../expressions/node.js'
import { substitute } from '../expressions/walk.js'
import type { OperatorContext } from '../operators/build.js'
import { columnOf } from '../plan/build.js'
import { LEFT, RIGHT } from '../plan/pair-columns.js'
import type { JoinStage } from '../plan/physical.js'
import { type BuiltJoin, buildJoin, columnsOf } from './built-join.js'
import { endToEnd, picked, rowsWhere } from './live-join.js'

/** Which left row it is, for those that have had no partner. */
export const ID = '#id'
/** Before the name of a column of the right side that the result does not have. */
const OTHER = '#right '

export interface Partners {
  /** Columns of left rows: those that come, and of a left join which row it is (`ID`). */
  readonly left: SchemaShape
  /** Rows of an input beside those of the other that have been added, with the columns of both. */
  pairs(side: 0 | 1, batch: RecordBatch): RecordBatch[]
  add(side: 0 | 1, batch: RecordBatch): void
  /** Rows whose partners would all have come go. */
  advance(to: bigint): void
  readonly size: number
  free(): void
}

interface Segment {
  readonly rows: RecordBatch
  /** The latest time. */
  readonly most: bigint
  index: BuiltJoin | null
}

/**
 * @param times by which rows of each input go, not null
 * @param reach how far the watermark goes past the time of a left row, and of a right one, while partners may come
 */
export function createPartners(
  context: OperatorContext,
  stage: JoinStage,
  given: SchemaShape,
  times: readonly [string, string],
  reach: readonly [bigint, bigint],
): Partners {
  const [own, other] = pairStages(stage, given)
  const places = [
    Object.keys(own.left).indexOf(times[0]),
    Object.keys(other.left).indexOf(other.nameOf(times[1])),
  ] as const
  const segments: [Segment[], Segment[]] = [[], []]
  let past = -(2n ** 63n)

  const free = (side: readonly Segment[]) => {
    for (const { index } of side) index?.free()
  }

  const named = (side: 0 | 1, batch: RecordBatch): RecordBatch =>
    side === 0
      ? columnsOf(batch, own.left)
      : new RecordBatch(other.left, columnsOf(batch, stage.right).vectors, batch.rowCount)

  function segmentOf(rows: RecordBatch, side: 0 | 1): Segment {
    const data = (rows.vectors[places[side]] as Vector).data as BigInt64Array
    let most = data[0] as bigint
    for (let row = 1; row < rows.rowCount; row++) if ((data[row] as bigint) > most) most = data[row] as bigint
    return { rows, most, index: null }
  }

  return {
    left: own.left,
    pairs(side, batch) {
      const probing = side === 0 ? own : other
      const rows = named(side, batch)
      return segments[(1 - side) as 0 | 1].flatMap(segment => {
        segment.index ??= buildJoin(context, probing.stage, probing.left, [segment.rows])
        return segment.index.probe(rows)
      })
    },
    add(side, batch) {
      const mine = segments[side]
      let added = named(side, batch)
      for (let last = mine.at(-1); last && last.rows.rowCount < 2 * added.rowCount; last = mine.at(-1)) {
        mine.pop()
        last.index?.free()
        added = endToEnd([last.rows, added])
        // Those that have had all their partners go when the others are indexed anew.
        const rows = rowsWhere(added.vectors[places[side]] as Vector, time => time + reach[side] >= past)
        if (rows?.length === 0) return
        added = picked(added, rows)
      }
      mine.push(segmentOf(added, side))
    },
    advance(to) {
      past = to
      for (const side of [0, 1] as const) {
        const over = segments[side].filter(({ most }) => most + reach[side] < to)
        if (over.length === 0) continue
        free(over)
        segments[side] = segments[side].filter(segment => !over.includes(segment))
      }
    },
    get size() {
      return segments.flat().reduce((sum, { rows }) => sum + rows.rowCount, 0)
    },
    free() {
      for (const side of segments.splice(0, 2, [], [])) free(side)
    },
  }
}

interface PairStage {
  readonly stage: JoinStage
  /** Columns of the rows that are looked up with. */
  readonly left: SchemaShape
  /** What a column of the right side is called in it. */
  nameOf(column: string): string
}

/** The inner join of pairs, looked up from either side; what comes out has the columns of the result, under their names, and which left row it was. */
function pairStages(stage: JoinStage, given: SchemaShape): [PairStage, PairStage] {
  const left = schemaOf([...fields(given), ...(stage.how === 'left' ? [{ name: ID, type: int64() }] : [])])
  const nameOf = (column: string) => stage.taken.find(each => each.column === column)?.name ?? OTHER + column
  const right = schemaOf(fields(stage.right).map(({ name, type }) => ({ name: nameOf(name), type })))
  const taken = fields(right).map(({ name }) => ({ name, column: name }))
  const keys = stage.keys.map(key => ({ left: key.left, right: nameOf(key.right) }))
  const both = { ...stage, how: 'inner', output: schemaOf([...fields(left), ...fields(right)]) } as const
  const named = (isSwapped: boolean) => (name: string) => {
    const isLeft = name.startsWith(LEFT)
    const column = isLeft ? name.slice(LEFT.length) : nameOf(name.slice(RIGHT.length))
    return columnOf((isLeft !== isSwapped ? LEFT : RIGHT) + column)
  }
  const renamed = (isSwapped: boolean) => ({
    where: stage.where && substitute(stage.where, named(isSwapped)),
    reads: stage.reads.map(name => (named(isSwapped)(name) as Expression & { name: string }).name),
  })
  const swapped = keys.map(key => ({ left: key.right, right: key.left }))
  const mine = fields(left).map(({ name }) => ({ name, column: name }))
  return [
    { stage: { ...both, ...renamed(false), right, keys, taken }, left, nameOf },
    { stage: { ...both, ...renamed(true), right: left, keys: swapped, taken: mine }, left: right, nameOf },
  ]
}

const fields = (schema: SchemaShape): { readonly name: string; readonly type: DataType }[] =>
  Object.entries(schema).map(([name, type]) => ({ name, type: type as DataType }))
