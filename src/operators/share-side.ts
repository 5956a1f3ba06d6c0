/** Rows of a join's other side that lanes hold: each lane sends all others its own, straight from lane to lane, so that every one has them all. */
import type { SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { Part, Side, SideRows } from './operator.js'

/** Of each column's dictionary, what tells it from others; null where it is to be sent in any case. */
export type CodePrints = readonly (string | null)[]

/** What is said from lane to lane beside the rows. */
export type SideMessage =
  /** Before its rows. */
  | { readonly type: 'codes'; readonly prints: CodePrints }
  /** The last from a later lane to an earlier one: it has had everything. */
  | { readonly type: 'bye' }

/** What a lane's job does for it. */
export interface SideHost {
  readonly lane: number
  /** The other lanes. */
  readonly peers: readonly number[]
  tell(to: number, message: SideMessage): void
  told(from: number): Promise<{ readonly type: string }>
  /** Sends parts, one by one, and says when they were all. */
  send(to: number, parts: Iterable<Part<LaneBatch>>): Promise<void>
  /** Takes parts until they were all. */
  receive(from: number, take: (part: Part<VectorBatch>) => void): Promise<void>
  /** Work at the job's expense. */
  charged<T>(work: () => T): T
}

/** Rows that a lane holds. */
export interface SideTable {
  readonly schema: SchemaShape
  readonly chunks: readonly { readonly split: number; readonly batch: LaneBatch }[]
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
  sides: ReadonlyMap<number, Side>,
  tables: readonly (SideTable | null)[],
  given: readonly ({ readonly columns: readonly string[] } | null)[],
): Promise<void> {
  for (const [i, table] of tables.entries()) {
    const rows = sides.get(i)?.rows
    if (table === null || rows === undefined) continue
    const names = Object.keys(table.schema)
    const places = (given[i]?.columns ?? []).map(name => names.indexOf(name))
    const chunks = table.chunks.map(({ split, batch }) => ({
      split,
      batch: { ...batch, columns: places.map(at => batch.columns[at]) },
    }))
    await shareSide(host, rows, chunks, places.length)
  }
  // An earlier lane may close its ends as soon as it has finished.
  for (const to of host.peers) if (to < host.lane) host.tell(to, { type: 'bye' })
  for (const from of host.peers) if (from > host.lane) await host.told(from)
}

async function shareSide(
  host: SideHost,
  side: SideRows,
  chunks: SideTable['chunks'],
  columnCount: number,
): Promise<void> {
  const { peers } = host
  const prints = host.charged(() => {
    for (const { split, batch } of chunks) side.hold(batch, split)
    return peers.length === 0 ? [] : Array.from({ length: columnCount }, (_, i) => printOf(side.dictionaryOf(i)))
  })
  for (const to of peers) host.tell(to, { type: 'codes', prints })
  const theirs = await Promise.all(peers.map(from => host.told(from) as Promise<SideMessage & { type: 'codes' }>))
  await Promise.all([
    ...peers.map(from =>
      host.receive(from, part => {
        if (part.kind === 'rows') side.add(part.batch, part.split)
      }),
    ),
    (async () => {
      for (const [i, to] of peers.entries()) await host.send(to, partsFor(theirs[i].prints))
    })(),
  ])

  function* partsFor(others: CodePrints): Iterable<Part<LaneBatch>> {
    for (const { split, batch } of chunks) {
      const columns = batch.columns.map((column, i) =>
        prints[i] !== null && prints[i] === others[i] && column.dictionary === side.dictionaryOf(i)
          ? asCodes(column)
          : column,
      )
      yield { kind: 'rows', split, batch: { ...batch, columns } }
    }
  }
}

/** Lanes that were fed from one dictionary have the same entries under the same codes, and these are then all that is sent. */
const printOf = (dictionary: LaneDictionary | null): string | null =>
  dictionary === null || dictionary.length <= FEW_ENTRIES
    ? null
    : [dictionary.length, dictionary.byteLength, dictionary.fingerprint()].join(' ')

const asCodes = (column: LaneVector): LaneVector => ({
  ...column,
  type: { kind: 'int32', nullable: column.type.nullable },
  dictionary: null,
})
