/** What can be read only once, and is read for several sources: those of a plan, or of several, may be stages over it. It is read before them, into this thread. */
import { sourceNode } from '../../plan/build.js'
import { tableSource } from '../../sources/memory.js'
import type { PlanBefore, Source } from '../../sources/source.js'
import type { RunOptions } from './options.js'
import { collect } from './run.js'

/** @returns what to read in the place of each of `sources` */
export async function readBefore(sources: Iterable<Source>, options: RunOptions): Promise<(source: Source) => Source> {
  const reads = new Map<Source, number>()
  for (const source of new Set(sources))
    for (const root of new Set(rootsOf(source))) reads.set(root, (reads.get(root) ?? 0) + 1)
  const known = new Map<Source, Source>()
  for (const [root, count] of reads) {
    if (count < 2 || !(root.once || root.isStream)) continue
    const { label, schema } = root
    const plan = sourceNode(0, label, schema)
    const table = await collect({ plan, sources: new Map([[0, root]]) }, { ...options, onProgress: undefined })
    known.set(root, { ...tableSource(table), label })
  }
  if (known.size === 0) return source => source
  const over = (before: PlanBefore): PlanBefore => ({
    ...before,
    sources: new Map([...before.sources].map(([id, source]) => [id, inPlace(source)])),
  })
  const inPlace = (source: Source): Source => {
    const { settle } = source
    const made =
      known.get(source) ??
      (settle === undefined
        ? source
        : {
            ...source,
            settle: (run, start, clock) =>
              settle(
                before => run(over(before)),
                before => start(over(before)),
                clock,
              ),
          })
    known.set(source, made)
    return made
  }
  return inPlace
}

/** Those that a source's rows come of. */
const rootsOf = (source: Source): Source[] =>
  source.before === undefined ? [source] : [...source.before.sources.values()].flatMap(rootsOf)
