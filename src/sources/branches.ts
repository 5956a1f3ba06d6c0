/** Several sources read one after another, the inputs of a union: their splits side by side, each with its input. A chunk that only unions load. */
import type { Expression } from '../expressions/node.js'
import type { FoundText } from '../formats/text-files.js'
import type { Clock } from '../metrics/clock.js'
import type { OpenSource, Resume, Source, SourceServices, Split, SplitSupply, TextOrder } from './source.js'
import { Misread } from './text-order.js'

export interface BranchSource {
  readonly source: Source
  readonly columns: readonly string[]
  readonly prune: Expression | null
}

export async function openBranches(
  branches: readonly BranchSource[],
  signal: AbortSignal | undefined,
  clock: Clock | undefined,
  services: SourceServices,
): Promise<OpenSource> {
  const opened: OpenSource[] = []
  for (const { source, columns, prune } of branches)
    opened.push(await source.open({ columns, prune, signal, clock }, services))
  const splitsOf = (i: number) => opened[i].splits.map(split => tagged(split, i, branches[i].source.label))
  const streamed = opened.findIndex(({ rest }) => rest !== undefined)
  const ahead = streamed < 0 ? opened.length : streamed + 1
  const isText = opened.some(({ createOrder }) => createOrder !== undefined)
  return {
    splits: opened.slice(0, ahead).flatMap((_, i) => splitsOf(i)),
    ...(streamed < 0 ? {} : { rest: chained(branches, opened, streamed, splitsOf) }),
    readers: [...new Set(opened.flatMap(({ readers = [] }) => readers))],
    ...(isText ? { createOrder: orders(opened) } : {}),
  }
}

/** A split that says which input it is of; keys of files are apart from those of other inputs. */
function tagged(split: Split, branch: number, label: string): Split {
  const { work } = split
  const own = work.kind === 'batches' ? work : { ...work, inputKey: `${branch} ${work.inputKey}` }
  return { ...split, work: own, branch, label }
}

/** What follows the splits of the first input that comes as a stream. */
function chained(
  branches: readonly BranchSource[],
  opened: readonly OpenSource[],
  first: number,
  splitsOf: (i: number) => Split[],
): SplitSupply {
  async function* splits(): AsyncGenerator<Split> {
    for (let i = first; i < opened.length; i++) {
      if (i > first) yield* splitsOf(i)
      const { rest } = opened[i]
      if (rest === undefined) continue
      for (let next = await rest.next(); next !== null; next = await rest.next())
        yield tagged(next, i, branches[i].source.label)
    }
  }
  const all = splits()
  return {
    counts: () => opened.flatMap(({ rest }) => rest?.counts?.() ?? []),
    async next() {
      const { done, value } = await all.next()
      return done ? null : value
    },
    async close() {
      for (const { rest } of opened.slice(first)) await rest?.close()
    },
  }
}

/**
 * The orders of all inputs as one. An input's reports wait until those before it are all right, so that bad rows are told in order, and once; inputs that are no text are
 * passed over.
 */
function orders(opened: readonly OpenSource[]): OpenSource['createOrder'] {
  /** The input in which a guess was wrong before: bad rows of those before it have all been told of. */
  let misread = 0
  return (all, resume, told, hear) => {
    const locals: Split[][] = opened.map(() => [])
    const starts: number[] = []
    let synced = 0
    /** Splits may come while others are read. */
    const sync = () => {
      for (; synced < all.length; synced++) {
        const { branch = 0 } = all[synced]
        starts[branch] ??= synced
        locals[branch].push(all[synced])
      }
    }
    sync()
    const subs: (TextOrder | null)[] = []
    let current = all[resume.split]?.branch ?? 0
    const subOf = (branch: number): TextOrder | null => {
      if (subs[branch] === undefined) {
        const start = starts[branch] ?? 0
        const own: Resume =
          branch === current && resume.split > start
            ? { ...resume, split: resume.split - start, illFormed: 0 }
            : { split: 0, at: null, rows: 0, illFormed: 0 }
        const before = branch < misread ? Infinity : branch === misread ? told : 0
        subs[branch] = opened[branch].createOrder?.(locals[branch], own, before, hear) ?? null
      }
      return subs[branch]
    }
    subOf(current)
    const waiting = new Map<number, FoundText[]>()
    const illFormed = () => subs.reduce((sum, sub) => sum + (sub?.illFormed ?? 0), resume.illFormed)
    const globally = <T>(branch: number, work: () => T): T => {
      try {
        return work()
      } catch (error) {
        if (!(error instanceof Misread)) throw error
        misread = branch
        throw new Misread({ ...error.resume, split: error.resume.split + starts[branch], illFormed: illFormed() })
      }
    }
    /** Goes on to later inputs, as far as those before are all right. */
    const advance = () => {
      sync()
      while (current < opened.length) {
        const sub = subOf(current)
        const start = starts[current]
        if (sub !== null && start !== undefined) {
          for (let i = start; i < start + locals[current].length; i++) {
            const reports = waiting.get(i) ?? []
            waiting.delete(i)
            for (const report of reports) globally(current, () => sub.take(i - start, report))
          }
          if (sub.verified < locals[current].length) return
        }
        // Splits come in the order of their inputs, some of which have none.
        const next = locals.findIndex((splits, branch) => branch > current && splits.length > 0)
        if (next < 0) return
        current = next
      }
    }
    return {
      get verified() {
        sync()
        const start = starts[current] ?? 0
        return start + (subOf(current)?.verified ?? locals[current].length)
      },
      get illFormed() {
        return illFormed()
      },
      firstRow(split) {
        sync()
        const branch = all[split]?.branch ?? 0
        return subOf(branch)?.firstRow(split - starts[branch]) ?? all[split]?.firstRow ?? 0
      },
      take(split, report) {
        waiting.set(split, [...(waiting.get(split) ?? []), report])
        advance()
      },
      check(split) {
        sync()
        const branch = all[split]?.branch ?? 0
        const sub = subOf(branch)
        if (sub !== null) globally(branch, () => sub.check(split - starts[branch]))
      },
      exact(split) {
        advance()
        const branch = all[split].branch ?? 0
        return branch === current ? (subOf(branch)?.exact(split - starts[branch]) ?? null) : null
      },
    }
  }
}
