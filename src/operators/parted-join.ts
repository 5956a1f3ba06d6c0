/**
 * A join of rows that lanes hold with so many others that no lane had better have them all: each has those of its share of the hashes of keys, and an index of these alone.
 * A left row stays where it is. Once all have come, its keys go to the lane that has its share, and what they meet comes back:
 *
 * ```
 *   lane 0   left rows ── keys of lane 1's share ──>   lane 1   its share of the right rows, by key
 *            in their order  <── columns of what is met ──
 * ```
 * a round of some rows after another, of all lanes at once. So keys must be of one right row at most; where they are not, which is known once rows have been shared, every lane gets
 * the others too, and joins as ever (join.ts).
 */
import { placeOf } from '../columnar/schema.js'
import { int32, type SchemaShape } from '../columnar/type.js'
import type { VectorBatch } from '../columnar/vector.js'
import { numbers } from '../kernels/aggregate/accumulator.js'
import { NONE } from '../kernels/join.js'
import { emptyColumn, type LaneBatch } from '../kernels/lane-vector.js'
import { dataBytes } from '../kernels/operand.js'
import { rangeIndices, takeBatch } from '../kernels/select.js'
import type { JoinStage } from '../plan/physical.js'
import { createBatchLoader } from './batch-loader.js'
import type { OperatorContext } from './build.js'
import { copyToHeap, freeHeapBatch } from './heap-batch.js'
import { inRounds } from './in-rounds.js'
import { createJoin, type Join } from './join.js'
import { createJoinSide } from './join-side.js'
import { hashedKeys, keyHashes } from './key-hashes.js'
import {
  type Deferred,
  type LastHost,
  type Morsel,
  type Part,
  type PartedSide,
  PositionedFailure,
  type SharedChunk,
  type Side,
  type SideHost,
  type SideMessage,
  type SideRows,
  type Transform,
} from './operator.js'
import { asCodes, shareSide, takeLeave } from './share-side.js'

/** An index of fewer rows is soon made. */
const LEAST_ROWS = 2 ** 20
/** No lane takes more for the other side, if it need not. */
const MOST_BYTES = 2 ** 29
/** A lane's number is a byte. */
const MOST_LANES = 256
/** Left rows of a lane that are asked for at once, about. */
const ROUND_ROWS = 2 ** 19
/** Where an asked key's row is in its morsel. */
const ROW = '\0row'

interface KeptMorsel {
  /** Among those of this lane. */
  readonly number: number
  readonly split: number
  readonly batch: LaneBatch
  readonly isHeld: boolean
  /** Of each row where it is in its split; null: from `firstRow` on, side by side. */
  readonly places: Uint32Array | null
  readonly firstRow: number
  /** The lane that has each row's share. */
  readonly owners: Uint8Array
}

/** What another lane has asked, or told, of one morsel: of its own, or of this one's. */
interface Sent {
  readonly morsel: number
  readonly batch: VectorBatch
}

/** Null where rows are joined as they come in any case. */
export function createPartedJoin(
  context: OperatorContext,
  stage: JoinStage,
  input: SchemaShape,
  leaves = false,
): Transform | null {
  const { how, right: sideSchema } = stage
  const keys = hashedKeys(stage, input)
  // A string is looked up by its code, once a dictionary has been mapped; to another lane it would have to go itself.
  const isText = keys.some(({ left }) => left.type.kind === 'utf8')
  if (stage.where !== null || how === 'right' || how === 'full' || isText) return null
  const { k } = context
  const { memory } = k
  const plain = createJoin(context, stage, input, leaves)
  const isTest = how === 'semi' || how === 'anti'
  const sideNames = Object.keys(sideSchema)
  const rowBytes = Object.values(sideSchema).reduce((sum, { kind }) => sum + dataBytes(kind, 8) / 8, 0)
  /** Columns of the other side that come out. */
  const given = isTest ? [] : [...new Set(stage.taken.map(({ column }) => column))]
  const givenTypes = given.map(name => sideSchema[name])
  const asked = [...new Set(stage.keys.map(key => key.left))]
  const askedColumns = asked.map(name => placeOf(input, name))
  const innerInput: SchemaShape = {
    ...Object.fromEntries(asked.map((name, i) => [`\0${i}`, input[name]])),
    [ROW]: int32(),
  }
  const innerStage: JoinStage = {
    ...stage,
    how: isTest ? 'semi' : 'inner',
    keys: stage.keys.map(key => ({ ...key, left: `\0${asked.indexOf(key.left)}` })),
    taken: given.map((column, i) => ({ name: `\0${i}`, column })),
    output: { [ROW]: int32(), ...Object.fromEntries(givenTypes.map((type, i) => [`\0${i}`, type])) },
  }
  /** Of the rows of this lane's share; null where every lane has all. */
  let inner: Join | null = null
  let [lane, lanes] = [0, 1]
  let chunks: readonly SharedChunk[] = []
  /** Rows of this lane's share that it holds itself, until they have been indexed. */
  const own: LaneBatch[] = []
  /** The lane of each row of a chunk. */
  const owners = new Map<LaneBatch, Uint8Array>()
  const kept: KeptMorsel[] = []
  /** By lane. */
  const askedBy = new Map<number, Sent[]>()
  const toldBy = new Map<number, Sent[]>()
  /** For what lanes are asked. */
  const loader = createBatchLoader(context)
  /** Of the columns that come out, those whose codes are the same in every lane. */
  let common: readonly boolean[] = []
  /** Of the rows that come next. */
  let origin = { split: 0, firstRow: 0, places: 0 }

  const ownersOf = (batch: LaneBatch, side: 'left' | 'right'): Uint8Array => {
    const mark = memory.mark()
    const hashes = keyHashes(k, keys, batch, side) >>> 2
    const found = new Uint8Array(batch.rowCount)
    for (let i = 0; i < found.length; i++) found[i] = Math.floor((memory.u32[hashes + i] * lanes) / 2 ** 31)
    memory.reset(mark)
    return found
  }

  /** The rows of a lane, ascending (u32 pointer), in scratch. */
  const rowsOf = (all: Uint8Array, of: number): { readonly rows: number; readonly count: number } => {
    const rows = memory.scratch(4 * all.length + 4)
    const { u32 } = memory
    let at = rows >>> 2
    for (let i = 0; i < all.length; i++) {
      u32[at] = i
      at += all[i] === of ? 1 : 0
    }
    return { rows, count: at - (rows >>> 2) }
  }

  const parted: PartedSide = {
    begin(rowCount, leftCount, host, held, isCommon) {
      lanes = host.peers.length + 1
      // To have a row indexed takes a lane 34 ns, to have it for another lane 58, and to ask for one 49 more, as measured: what all lanes do is done by each, or shared.
      const isDearer = 34 * rowCount * lanes > 58 * rowCount + 49 * leftCount
      const isLarge = rowCount * rowBytes > MOST_BYTES
      if (rowCount < LEAST_ROWS || lanes === 1 || lanes > MOST_LANES || !(isDearer || isLarge)) return false
      lane = host.lane
      chunks = held
      common = given.map(name => isCommon[sideNames.indexOf(name)])
      plain.free()
      inner = createJoin(context, innerStage, innerInput)
      for (const { split, batch } of chunks) {
        const mark = memory.mark()
        const rows = copyToHeap(k, parted.rowsFor(lane, batch))
        memory.reset(mark)
        own.push(rows)
        inner.side.rows.hold(rows, split)
      }
      return true
    },
    rowsFor(to, batch) {
      const known = owners.get(batch) ?? ownersOf(batch, 'right')
      owners.set(batch, known)
      const { rows, count } = rowsOf(known, to)
      return takeBatch(k, batch, rows, count)
    },
  }

  const side: Side = {
    index: stage.side,
    rows: {
      hold: (...all: Parameters<SideRows['hold']>) => plain.side.rows.hold(...all),
      add: (...all: Parameters<SideRows['add']>) => (inner ?? plain).side.rows.add(...all),
      dictionaryOf: column => (inner ?? plain).side.rows.dictionaryOf(column),
    },
    parted,
    *prepare() {
      yield* (inner ?? plain).side.prepare()
      for (const batch of own.splice(0)) freeHeapBatch(k, batch)
      owners.clear()
    },
  }

  function* expand(morsel: Morsel): Iterable<Morsel> {
    if (inner === null) {
      yield* plain.expand(morsel)
      return
    }
    const { rowCount, columns, rows, isHeld = false } = morsel
    const { split, firstRow, places } = origin
    const { u32 } = memory
    const placeOf = (row: number) => firstRow + (places === 0 ? row : u32[(places >>> 2) + row])
    kept.push({
      number: kept.length,
      split,
      batch: isHeld ? { rowCount, columns } : copyToHeap(k, { rowCount, columns }),
      isHeld,
      firstRow,
      places:
        rows === 0 && places === 0
          ? null
          : Uint32Array.from({ length: rowCount }, (_, i) => placeOf(rows === 0 ? i : u32[(rows >>> 2) + i])),
      owners: ownersOf(morsel, 'left'),
    })
  }

  /** Keys of the rows whose share another lane has, or this one, in scratch. */
  function ask({ batch, owners }: KeptMorsel, of: number): LaneBatch {
    const { rows, count } = rowsOf(owners, of)
    const taken = takeBatch(k, { ...batch, columns: askedColumns.map(i => batch.columns[i]) }, rows, count)
    return { rowCount: count, columns: [...taken.columns, numbers(int32(), count, rows)] }
  }

  function* questions(round: readonly KeptMorsel[], to: number): Iterable<Part<LaneBatch>> {
    for (const morsel of round) yield { kind: 'rows', split: morsel.number, batch: ask(morsel, to) }
  }

  function* answers(to: number): Iterable<Part<LaneBatch>> {
    for (const { morsel: split, batch } of (askedBy.get(to) ?? []).splice(0)) {
      for (const { rowCount, columns } of (inner as Join).expand({ ...loader.load(batch), rows: 0 })) {
        const sent = columns.map((column, i) => (i > 0 && common[i - 1] ? asCodes(column) : column))
        yield { kind: 'rows', split, batch: { rowCount, columns: sent } }
      }
    }
  }

  /** The rows of a morsel with what they have met here, and in other lanes. */
  function* assembled(morsel: KeptMorsel): Iterable<Morsel> {
    const { rowCount, columns } = morsel.batch
    const own = inner as Join
    const met = createJoinSide(context, Object.fromEntries(givenTypes.map((type, i) => [i, type])), Infinity)
    try {
      // Codes that come are of these dictionaries.
      const dictionaries = given.map(name => own.side.rows.dictionaryOf(sideNames.indexOf(name)))
      met.hold({ rowCount: 0, columns: givenTypes.map((type, i) => emptyColumn(type, dictionaries[i])) }, 0)
      const found = memory.scratch(4 * rowCount + 16)
      memory.u32.fill(NONE, found >>> 2, (found >>> 2) + rowCount)
      let count = 0
      const note = (rows: Uint32Array | Int32Array, length: number) => {
        for (let i = 0; i < length; i++) memory.u32[(found >>> 2) + rows[i]] = count + i
        count += length
      }
      for (const batches of toldBy.values()) {
        if (batches[0]?.morsel !== morsel.number) continue
        const { vectors, rowCount: length } = (batches.shift() as Sent).batch
        met.add({ rowCount: length, vectors: vectors.slice(1) }, count)
        note(vectors[0].data as Int32Array, length)
      }
      for (const { rowCount: length, columns } of own.expand({ ...ask(morsel, lane), rows: 0 })) {
        met.hold({ rowCount: length, columns: columns.slice(1) }, count)
        note(memory.u32.subarray(columns[0].data >>> 2), length)
      }
      met.settle(how === 'left')
      for (const _ of met.keep(given.map((_, i) => i)));
      yield* plain.matched({ rowCount, columns, rows: placesOf(morsel) }, found, {
        rowCount: count,
        isPacked: false,
        take: (wanted, ...rest) =>
          met.take(
            wanted.map(i => given.indexOf(sideNames[i])),
            ...rest,
          ),
      })
    } finally {
      met.free()
      kept.shift()
      letGo(morsel)
    }
  }

  function* emit(round: readonly KeptMorsel[]): Iterable<Deferred | null> {
    for (const each of round) {
      for (const morsel of assembled(each)) yield { split: each.split, morsel }
      yield null
    }
  }

  /** Where the rows of a morsel are in their split. */
  function placesOf({ batch, firstRow, places }: KeptMorsel): number {
    const rows = rangeIndices(k, firstRow, firstRow + batch.rowCount)
    if (places !== null) memory.u32.set(places, rows >>> 2)
    return rows
  }

  function letGo({ batch, isHeld }: KeptMorsel): void {
    if (!isHeld) freeHeapBatch(k, batch)
  }

  async function exchange(host: LastHost, give: (rows: Deferred) => void): Promise<void> {
    if (inner === null) return
    const { peers } = host
    const rounds = inRounds(kept, ROUND_ROWS, ({ batch }) => batch.rowCount)
    const { isUnique } = inner
    for (const to of peers) host.tell(to, { type: 'parted', rounds: rounds.length, isUnique })
    const terms = await Promise.all(peers.map(from => host.told(from) as Promise<SideMessage & { type: 'parted' }>))
    /** Of the first row that fails; what the other lanes ask is answered all the same. */
    let failure: PositionedFailure | null = null
    const giveOn = (rows: Deferred) => {
      if (failure !== null) return
      try {
        give(rows)
      } catch (error) {
        if (!(error instanceof PositionedFailure)) throw error
        failure = error
      }
    }
    if (isUnique && terms.every(({ isUnique }) => isUnique)) {
      const most = Math.max(rounds.length, ...terms.map(({ rounds }) => rounds))
      for (let i = 0; i < most; i++) {
        const round = rounds[i] ?? []
        await bothWays(host, to => questions(round, to), askedBy)
        await bothWays(host, answers, toldBy)
        await host.each(emit(round), each => {
          if (each !== null) giveOn(each)
          return true
        })
      }
    } else {
      inner.free()
      inner = null
      await shareSide(host, { ...side, parted: undefined }, chunks, sideNames.length)
      await host.each(plain.side.prepare(), () => true)
      await host.each(kept, morsel => {
        for (const each of plain.expand({ ...morsel.batch, rows: placesOf(morsel) }))
          giveOn({ split: morsel.split, morsel: each })
        return true
      })
    }
    await takeLeave(host)
    if (failure !== null) throw failure
  }

  return {
    label: plain.label,
    kernels: () => (inner === null ? plain.kernels() : [...inner.kernels(), 'a share of keys a lane']),
    apply: plain.apply,
    expand,
    side,
    deferred: {
      at(split, firstRow, places) {
        origin = { split, firstRow, places }
      },
      *emit() {},
      exchange,
    },
    free() {
      for (const morsel of kept.splice(0)) letGo(morsel)
      for (const batch of own.splice(0)) freeHeapBatch(k, batch)
      loader.close()
      inner?.free()
      plain.free()
    },
  }
}

/** Every lane to every other. */
async function bothWays(
  { peers, send, receive }: SideHost,
  partsFor: (to: number) => Iterable<Part<LaneBatch>>,
  into: Map<number, Sent[]>,
): Promise<void> {
  await Promise.all([
    ...peers.map(from => {
      const all: Sent[] = []
      into.set(from, all)
      return receive(from, part => {
        if (part.kind === 'rows') all.push({ morsel: part.split, batch: part.batch })
      })
    }),
    (async () => {
      for (const to of peers) await send(to, partsFor(to))
    })(),
  ])
}
