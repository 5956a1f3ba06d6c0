/** Rows of a join's other side that lanes hold: each lane sends all others its own, straight from lane to lane, so that every one has them all, or its share (parted-join.ts). */
import type { SchemaShape } from '../columnar/type.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { CodePrints, Part, PartedSide, SharedChunk, Side, SideHost, SideMessage } from './operator.js'

/** Rows that a lane holds. */
export interface SideTable {
  readonly schema: SchemaShape
  readonly chunks: readonly SharedChunk[]
}

/** Dictionaries of so few entries are sent without asking. */
const FEW_ENTRIES = 4096

/**
 * All sides of a job that the lanes hold, one after another.
 * @param tables of each side the rows that this lane holds; null: they come from elsewhere.
 * @param given of each side the columns of its table.
 */
export async function shareSides(
  host: SideHost,
  sides: readonly (readonly Side[])[],
  tables: readonly (SideTable | null)[],
  given: readonly ({ readonly columns: readonly string[] } | null)[],
): Promise<void> {
  for (const [i, table] of tables.entries()) {
    if (table === null) continue
    const names = Object.keys(table.schema)
    const places = (given[i]?.columns ?? []).map(name => names.indexOf(name))
    const chunks = table.chunks.map(({ split, batch }) => ({
      split,
      batch: { ...batch, columns: places.map(at => batch.columns[at]) },
    }))
    for (const side of sides[i]) await shareSide(host, side, chunks, places.length)
  }
  await takeLeave(host)
}

/** An earlier lane may close its ends as soon as it has finished. */
export async function takeLeave({ lane, peers, tell, told }: SideHost): Promise<void> {
  for (const to of peers) if (to < lane) tell(to, { type: 'bye' })
  for (const from of peers) if (from > lane) await told(from)
}

/** @param chunks rows that this lane holds. */
export async function shareSide(
  host: SideHost,
  { rows: side, parted }: Side,
  chunks: readonly SharedChunk[],
  columnCount: number,
): Promise<void> {
  const { peers } = host
  const rowCount = rowsIn(chunks)
  const leftCount = rowsIn(host.input)
  const prints = host.charged(() => {
    for (const { split, batch } of chunks) side.hold(batch, split)
    return peers.length === 0 ? [] : Array.from({ length: columnCount }, (_, i) => printOf(side.dictionaryOf(i)))
  })
  for (const to of peers) host.tell(to, { type: 'codes', prints, rowCount, leftCount })
  const theirs = await Promise.all(peers.map(from => host.told(from) as Promise<SideMessage & { type: 'codes' }>))
  const isParted = host.charged(() => {
    const total = theirs.reduce((sum, { rowCount }) => sum + rowCount, rowCount)
    const left = theirs.reduce((sum, { leftCount }) => sum + leftCount, leftCount)
    const isCommon = prints.map((print, i) => print !== null && theirs.every(({ prints }) => prints[i] === print))
    return parted?.begin(total, left, host, chunks, isCommon) === true
  })
  await Promise.all([
    ...peers.map(from =>
      host.receive(from, part => {
        if (part.kind === 'rows') side.add(part.batch, part.split)
      }),
    ),
    (async () => {
      for (const [i, to] of peers.entries()) await host.send(to, partsFor(to, theirs[i].prints))
    })(),
  ])

  function* partsFor(to: number, others: CodePrints): Iterable<Part<LaneBatch>> {
    for (const { split, batch: all } of chunks) {
      const batch = isParted ? (parted as PartedSide).rowsFor(to, all) : all
      const columns = batch.columns.map((column, i) =>
        prints[i] !== null && prints[i] === others[i] && column.dictionary === side.dictionaryOf(i)
          ? asCodes(column)
          : column,
      )
      yield { kind: 'rows', split, batch: { ...batch, columns } }
    }
  }
}

const rowsIn = (chunks: readonly { readonly batch: LaneBatch }[]): number =>
  chunks.reduce((sum, { batch }) => sum + batch.rowCount, 0)

/** Lanes that were fed from one dictionary have the same entries under the same codes, and these are then all that is sent. */
const printOf = (dictionary: LaneDictionary | null): string | null =>
  dictionary === null || dictionary.length <= FEW_ENTRIES
    ? null
    : [dictionary.length, dictionary.byteLength, dictionary.fingerprint()].join(' ')

export const asCodes = (column: LaneVector): LaneVector => ({
  ...column,
  type: { kind: 'int32', nullable: column.type.nullable },
  dictionary: null,
})
