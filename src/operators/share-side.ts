/** Rows of a join's other side that lanes hold: each lane sends all others its own, straight from lane to lane, so that every one has them all. */
import type { VectorBatch } from '../columnar/vector.js'
import type { LaneBatch, LaneVector } from '../kernels/lane-vector.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { Part, SideRows } from './operator.js'

/** Of each column's dictionary, what tells it from others; null where it is to be sent in any case. */
export type CodePrints = readonly (string | null)[]

/** What a lane's job does for it. */
export interface SideHost {
  /** The other lanes. */
  readonly peers: readonly number[]
  tell(to: number, prints: CodePrints): void
  told(from: number): Promise<CodePrints>
  /** Sends parts, one by one, and says when they were all. */
  send(to: number, parts: Iterable<Part<LaneBatch>>): Promise<void>
  /** Takes parts until they were all. */
  receive(from: number, take: (part: Part<VectorBatch>) => void): Promise<void>
  /** Work at the job's expense. */
  charged<T>(work: () => T): T
}

/** Dictionaries of so few entries are sent without asking. */
const FEW_ENTRIES = 4096

export async function shareSide(
  host: SideHost,
  side: SideRows,
  chunks: readonly { readonly split: number; readonly batch: LaneBatch }[],
  columnCount: number,
): Promise<void> {
  const { peers } = host
  const prints = host.charged(() => {
    for (const { split, batch } of chunks) side.hold(batch, split)
    return peers.length === 0 ? [] : Array.from({ length: columnCount }, (_, i) => printOf(side.dictionaryOf(i)))
  })
  for (const to of peers) host.tell(to, prints)
  const theirs = await Promise.all(peers.map(from => host.told(from)))
  await Promise.all([
    ...peers.map(from =>
      host.receive(from, part => {
        if (part.kind === 'rows') side.add(part.batch, part.split)
      }),
    ),
    (async () => {
      for (const [i, to] of peers.entries()) await host.send(to, partsFor(theirs[i]))
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
