/**
 * Joins: each morsel of the left side meets rows of the right one, of which every lane has all (or a share: parted-join.ts). Pairs come in the order of the left rows, then of the right ones; right
 * rows that no left row met come after all others, from the first lane (`unmatched`). How rows are found is kernels/join.ts's.
 */
import { schemaOf } from '../columnar/schema.js'
import { type DataType, leafType, type SchemaShape, typeName } from '../columnar/type.js'
import { MORSEL_ROWS } from '../columnar/vector.js'
import { MillraceError, quote } from '../errors.js'
import { count, not } from '../kernels/bitmap.js'
import { widen } from '../kernels/cast.js'
import { type CodeMap, createCodeMap } from '../kernels/code-map.js'
import { compact } from '../kernels/compact.js'
import { buildJoinIndex, type JoinIndex, NONE } from '../kernels/join.js'
import { columnsOf, dictionaryOf, type LaneVector } from '../kernels/lane-vector.js'
import { nullColumn } from '../kernels/null-column.js'
import {
  byteBits,
  expandPairs,
  foundBits,
  foundPairs,
  markRows,
  type RowPairs,
  remapText,
  replaceNone,
  resolvePairs,
  startExpansion,
} from '../kernels/pairs.js'
import { selection, take, takeIndices } from '../kernels/select.js'
import type { LaneDictionary } from '../kernels/text.js'
import { LEFT, RIGHT } from '../plan/pair-columns.js'
import type { JoinStage } from '../plan/physical.js'
import type { OperatorContext } from './build.js'
import { compilePredicate, Failures } from './compiled.js'
import { createJoinSide, type JoinSide } from './join-side.js'
import { type Morsel, RowFailure, type Side, type Transform } from './operator.js'
import { prefix } from './pipeline.js'

/** Rows of the other side that are at hand; behind them, where rows may meet none, one of `null`s. */
export type MatchedRows = Pick<JoinSide, 'rowCount' | 'isPacked' | 'take'>

export interface Join extends Transform {
  readonly side: Side
  expand(morsel: Morsel): Iterable<Morsel>
  /** Once prepared: whether a row meets one row of the other side at most. */
  readonly isUnique: boolean
  /** What comes of rows that have been looked up elsewhere: `rows` has the number in `from` of what each has met, or NONE, and may be written to. */
  matched(morsel: Morsel, rows: number, from: MatchedRows): Iterable<Morsel>
}

export function createJoin(context: OperatorContext, stage: JoinStage, input: SchemaShape, leaves = false): Join {
  const { k, dictionaries: pool } = context
  const { memory } = k
  const { how, right: sideSchema } = stage
  const names = Object.keys(input)
  const sideNames = Object.keys(sideSchema)
  const keysLeft = stage.keys.map(key => names.indexOf(key.left))
  const keysRight = stage.keys.map(key => sideNames.indexOf(key.right))
  const keepsLeft = how === 'left' || how === 'full'
  const keepsRight = how === 'right' || how === 'full'
  const isTest = how === 'semi' || how === 'anti'
  /** Whether a left row that meets no other is left out. */
  const givesPairs = how === 'inner' || how === 'right' || how === 'semi'
  const side = createJoinSide(context, sideSchema)
  let index: JoinIndex | null = null
  /** How it finds rows; told when it is gone, too. */
  let kernel = ''
  /** A byte a right row: whether it has been met. */
  let marks = 0
  /** Of each left column of strings, the last dictionary that came with it: what nulls in it are coded by. */
  const seen: (LaneDictionary | null)[] = []
  /** Of keys of both sides, when they are strings. */
  const keyTexts: ({ readonly own: LaneDictionary; readonly map: CodeMap } | null)[] = []

  /** How each output column is made. */
  const outputs = Object.keys(stage.output).map(name => {
    const type = stage.output[name]
    const taken = stage.taken.find(each => each.name === name)
    if (taken !== undefined) return { from: 'right' as const, column: sideNames.indexOf(taken.column), key: -1, type }
    const key = keepsRight ? stage.keys.findIndex(each => each.left === name) : -1
    return { from: 'left' as const, column: names.indexOf(name), key, type }
  })
  const outputTypes = outputs.map(({ type }) => type)
  const condition = compileCondition()

  function compileCondition() {
    if (stage.where === null) return null
    const fields = [
      ...names.map(name => ({ name: LEFT + name, type: input[name] })),
      ...sideNames.map(name => ({ name: RIGHT + name, type: sideSchema[name] })),
    ].filter(({ name }) => stage.reads.includes(name))
    const columns = fields.map(({ name }) =>
      name.startsWith(LEFT)
        ? { from: 'left' as const, column: names.indexOf(name.slice(LEFT.length)) }
        : { from: 'right' as const, column: sideNames.indexOf(name.slice(RIGHT.length)) },
    )
    return { columns, predicate: compilePredicate(context, stage.where, schemaOf(fields)) }
  }

  function* prepare(): Iterable<undefined> {
    side.settle(keepsLeft)
    yield
    const types = stage.keys.map(key => ({ own: sideSchema[key.right], other: input[key.left] }))
    index = yield* buildJoinIndex(
      k,
      types,
      () => side.pieces(keysRight),
      side.rowCount,
      condition !== null ? 'lists' : isTest ? 'tests' : 'either',
      context.partRows,
    )
    kernel = index.kernel
    if (keepsRight) {
      // The null row has one behind the others.
      marks = memory.allocate(side.rowCount + 16)
      memory.u8.fill(0, marks, marks + side.rowCount + 1)
    }
    const used = new Set([
      ...outputs.flatMap(({ from, column }) => (from === 'right' ? [column] : [])),
      ...(condition?.columns ?? []).flatMap(({ from, column }) => (from === 'right' ? [column] : [])),
      ...(keepsRight ? keysRight : []),
    ])
    // Codes of strings are looked up by the dictionary, which stays.
    yield* side.keep([...used])
  }

  function* expand(morsel: Morsel): Iterable<Morsel> {
    for (const [i, column] of morsel.columns.entries()) see(i, dictionaryOf(column))
    const { rowCount } = morsel
    const built = index as JoinIndex
    const keys = keysLeft.map(i => morsel.columns[i])
    if (givesPairs && built.misses(keys)) return
    if (isTest && condition === null) {
      yield* selected(morsel, foundBits(k, built.rowsOf(keys, rowCount), rowCount))
      return
    }
    if (built.isUnique && condition === null) {
      const rows = built.rowsOf(keys, rowCount)
      if (marks !== 0) markRows(k, rows, rowCount, marks)
      yield* matched(morsel, rows, side)
      return
    }
    yield* expandLists(morsel, built, built.ids(keys, rowCount))
  }

  /** What comes of rows of which each meets one row of the other side at most: `rows` has its number, or NONE. */
  function* matched(morsel: Morsel, rows: number, from: MatchedRows): Iterable<Morsel> {
    const { rowCount } = morsel
    if (isTest) {
      yield* selected(morsel, foundBits(k, rows, rowCount))
    } else if (keepsLeft) {
      const lone = replaceNone(k, rows, rowCount, from.rowCount)
      yield paired(morsel, { count: rowCount, left: 0, right: rows }, lone > 0, from)
    } else {
      const pairs = foundPairs(k, rows, rowCount)
      if (pairs.count > 0) yield paired(morsel, pairs.count === rowCount ? { ...pairs, left: 0 } : pairs, false, from)
    }
  }

  function* expandLists(morsel: Morsel, built: JoinIndex, ids: number): Iterable<Morsel> {
    const { rowCount } = morsel
    const state = startExpansion(k)
    const at = () => memory.u32[state >>> 2]
    const lone = keepsLeft ? side.rowCount : NONE
    const met = condition === null ? 0 : memory.scratch(rowCount + 16)
    if (met !== 0) memory.u8.fill(0, met, met + rowCount + 1)
    let failure: RowFailure | null = null
    let rows = rowCount
    while (at() < rowCount && failure === null) {
      const mark = memory.mark()
      const first = at()
      let pairs = expandPairs(k, built, ids, rowCount, condition === null ? lone : NONE, state)
      if (condition !== null) {
        let end = at()
        let passed = memory.scratch(16)
        try {
          if (pairs.count > 0) passed = passing(morsel, pairs)
        } catch (error) {
          if (!(error instanceof RowFailure)) throw error
          failure = error
          // What comes of the rows before it may be wanted all the same.
          pairs = { ...pairs, count: firstPairOf(morsel, pairs, error.row) }
          end = memory.u32[(pairs.left >>> 2) + pairs.count]
          rows = end
          if (pairs.count > 0) passed = passing(morsel, pairs)
        }
        pairs = resolvePairs(k, pairs, passed, [first, end], met, isTest ? NONE : lone)
      }
      if (marks !== 0) markRows(k, pairs.right, pairs.count, marks)
      if (pairs.count > 0 && !isTest) yield paired(morsel, pairs, keepsLeft)
      memory.reset(mark)
    }
    if (isTest && rows > 0) yield* selected(prefix(morsel, rows), byteBits(k, met, rows))
    if (failure !== null) throw failure
  }

  /** The first pair of the row that came from row `origin` of the morsel as it entered the pipeline. */
  function firstPairOf({ rows }: Morsel, { left, count }: RowPairs, origin: number): number {
    const { u32 } = memory
    let pair = 0
    const originOf = (row: number) => (rows === 0 ? row : u32[(rows >>> 2) + row])
    while (pair < count - 1 && originOf(u32[(left >>> 2) + pair]) < origin) pair++
    return pair
  }

  /** Bitmap of the pairs for which the condition is true. @throws RowFailure */
  function passing(morsel: Morsel, pairs: RowPairs): number {
    const { left, count: rowCount } = pairs
    const { columns, predicate } = condition as NonNullable<typeof condition>
    const ofLeft = (column: number) => take(k, morsel.columns[column], pairs.left, rowCount)
    const sidewise = columnsOfPairs(columns, ofLeft, pairs, 0, side, true)
    const candidates: Morsel = {
      rowCount,
      rows: takeIndices(k, morsel.rows, left, rowCount),
      columns: columns.map((_, i) => sidewise(i)),
    }
    const failures = new Failures()
    const bits = predicate.evaluate(candidates, failures)
    failures.throwIfAny(k, candidates)
    return bits
  }

  /** Of a semi or anti join: the rows whose bit is set, or is not. */
  function* selected(morsel: Morsel, hits: number): Iterable<Morsel> {
    const { rowCount } = morsel
    const bits = how === 'semi' ? hits : not(k, hits, rowCount)
    const left = count(k, bits, rowCount)
    if (left === 0) return
    const indices = left === rowCount ? 0 : selection(k, bits, rowCount).indices
    yield paired(morsel, { count: left, left: indices, right: 0 }, false)
  }

  /** `left` 0: pair i is of row i. `hasLone`: some right row may be the null row. */
  function paired(morsel: Morsel, pairs: RowPairs, hasLone: boolean, from: MatchedRows = side): Morsel {
    const ofLeft = (column: number) => {
      const whole = morsel.columns[column]
      if (pairs.left === 0) return whole
      return pairs.bits
        ? compact(k, whole, pairs.bits, pairs.left, pairs.count)
        : take(k, whole, pairs.left, pairs.count)
    }
    const found = hasLone ? foundBits(k, pairs.right, pairs.count, from.rowCount) : 0
    const rows = takeIndices(k, morsel.rows, pairs.left, pairs.count)
    const sidewise = columnsOfPairs(outputs, ofLeft, pairs, found, from, !leaves || from.isPacked)
    const columnAt = (i: number): LaneVector => {
      const { from: side, type, key } = outputs[i]
      return side === 'right' || key < 0 ? { ...sidewise(i), type } : keyOf(key, sidewise(i), type)
    }
    return { rowCount: pairs.count, rows, ...columnsOf(outputTypes, columnAt, leaves) }
  }

  /** Makes columns of both sides, those of the right one where `isTogether` at once. */
  function columnsOfPairs(
    wanted: readonly { readonly from: 'left' | 'right'; readonly column: number }[],
    ofLeft: (column: number) => LaneVector,
    pairs: RowPairs,
    found: number,
    rows: MatchedRows,
    isTogether: boolean,
  ): (i: number) => LaneVector {
    const ofRight = wanted.filter(({ from }) => from === 'right').map(({ column }) => column)
    const take = (columns: readonly number[]) => rows.take(columns, pairs.right, pairs.count, found)
    const taken = isTogether && ofRight.length > 0 ? take(ofRight) : []
    return i => {
      const { from, column } = wanted[i]
      if (from === 'left') return ofLeft(column)
      return isTogether ? taken[ofRight.indexOf(column)] : take([column])[0]
    }
  }

  /** A key of either side as what comes out, where rows of both sides do. */
  function keyOf(key: number, column: LaneVector, type: DataType): LaneVector {
    if (type.kind !== 'utf8') {
      const { vector, failedRow } = widen(k, column, type)
      if (failedRow >= 0) throw beyond(stage.keys[key].left, type)
      return { ...vector, type }
    }
    keyTexts[key] ??= textOf()
    const { own, map } = keyTexts[key]
    return { ...remapText(k, column, map, own), type }
  }

  function textOf(): { own: LaneDictionary; map: CodeMap } {
    const own = pool.create()
    return { own, map: createCodeMap(k, own, true) }
  }

  function dropTexts(key: number): void {
    const text = keyTexts[key]
    if (!text) return
    text.map.free()
    pool.release(text.own)
    delete keyTexts[key]
  }

  function see(i: number, dictionary: LaneDictionary | null): void {
    if (!keepsRight || dictionary === null || seen[i] === dictionary) return
    pool.retain(dictionary)
    if (seen[i]) pool.release(seen[i])
    seen[i] = dictionary
  }

  /** Right rows that nobody met, with nulls for the left ones. */
  function* unmatched(): Iterable<Morsel> {
    const total = side.rowCount
    for (let from = 0; from < total; from += MORSEL_ROWS) {
      const mark = memory.mark()
      const rows = Math.min(MORSEL_ROWS, total - from)
      const indices = memory.scratch(4 * rows)
      let found = 0
      for (let i = 0; i < rows; i++)
        if (memory.u8[marks + from + i] === 0) memory.u32[(indices >>> 2) + found++] = from + i
      if (found > 0) {
        const ofSide = outputs.flatMap(({ from, column, key }) =>
          from === 'right' ? [column] : key < 0 ? [] : [keysRight[key]],
        )
        const taken = side.take(ofSide, indices, found, 0)
        let next = 0
        const columns = outputs.map(({ from, column, key, type }): LaneVector => {
          if (from === 'right') return { ...taken[next++], type }
          if (key >= 0) return keyOf(key, taken[next++], type)
          if (leafType(type).kind === 'utf8') seen[column] ??= pool.create()
          return nullColumn(k, type, found, seen[column] ?? null)
        })
        yield { rowCount: found, rows: 0, columns }
      }
      memory.reset(mark)
    }
  }

  const own: Side = {
    index: stage.side,
    rows: side,
    prepare,
    ...(keepsRight
      ? {
          unmatched: {
            marks: () => memory.u8.slice(marks, marks + side.rowCount),
            absorb(theirs) {
              for (let i = 0; i < theirs.length; i++) memory.u8[marks + i] |= theirs[i]
            },
            emit: unmatched,
          },
        }
      : {}),
  }
  return {
    label: `${stage.verb} on ${stage.keys.map(key => key.left).join(', ')}`,
    kernels: () => (kernel === '' ? [] : [`look-up: ${kernel}`]),
    apply: () => {
      throw new Error('a join gives several morsels')
    },
    expand,
    matched,
    get isUnique() {
      return index?.isUnique === true
    },
    side: own,
    renew(mostBytes) {
      if (mostBytes === 0) index?.forgetCodes()
      keyTexts.forEach((text, key) => {
        if (text && text.own.storedBytes >= mostBytes) dropTexts(key)
      })
    },
    free() {
      condition?.predicate.free()
      index?.free()
      index = null
      memory.free(marks)
      marks = 0
      for (const dictionary of seen.splice(0)) if (dictionary) pool.release(dictionary)
      for (const key of keyTexts.keys()) dropTexts(key)
      side.free()
    },
  }
}

const beyond = (column: string, type: DataType): MillraceError =>
  new MillraceError(
    'MR_INTEGER_OVERFLOW',
    `the keys of both sides come out as column ${quote(column)} of ${typeName(type)}, which cannot hold them all; cast both sides to one type first`,
    { column },
  )
