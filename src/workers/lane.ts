/**
 * A lane: one kernel instance, its private memory, the tables it holds and the jobs it runs. The same code runs in a worker (serve-lane.ts) and,
 * inline, in the calling thread (lane-client.ts); lane-job.ts runs one job.
 */
import { freshBuffer } from '#fresh-buffer'
import { MillraceError } from '../errors.js'
import type { OpenFile } from '../formats/byte-source.js'
import type { FormatModule } from '../formats/format.js'
import { addKernels, instantiate, type KernelModule, type Kernels } from '../kernels/instance.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext, OperatorParts } from '../operators/build.js'
import { createDictionaryPool, type DictionaryPool } from '../operators/dictionary-pool.js'
import { type HeldTable, releaseTable } from './held-table.js'
import { runLaneJob } from './lane-job.js'
import type { JobPorts, JobSpec, LaneOptions } from './protocol.js'

/** What only some plans or sources need, added before the first that does: inline a chunk each, to workers sent as text. */
export interface LaneParts extends OperatorParts {
  readonly partitions: typeof import('./partitions.js')
  readonly spill: Pick<typeof import('./spill.js'), 'openSpill'>
  readonly windowParts: Pick<typeof import('./lane-windows.js'), 'openWindows'>
  readonly carried: Pick<typeof import('../operators/carried-texts.js'), 'carryTexts'>
  readonly text: Pick<typeof import('../kernels/text.js'), 'LaneDictionary'>
  readonly csv: Pick<typeof import('../kernels/csv.js'), 'createCsvParser'>
  readonly json: Pick<typeof import('../kernels/json.js'), 'createJsonParser'>
  readonly files: Pick<typeof import('../formats/text-files.js'), 'createTexts'>
  readonly parquet: FormatModule
  readonly arrow: FormatModule
}

export type PartName = keyof LaneParts

export class Lane implements OperatorContext {
  readonly parts: { -readonly [P in PartName]?: LaneParts[P] } = {}
  readonly tables = new Map<number, HeldTable>()
  private opened: { readonly k: Kernels; readonly dictionaries: DictionaryPool } | null = null

  /** @param openFile null where there are no paths. */
  constructor(readonly openFile: OpenFile | null) {}

  /** @throws MillraceError `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
  open(options: LaneOptions): void {
    const k = instantiate(options.kernels, { seed: options.seed, maximumBytes: options.maximumBytes })
    k.memory.freshBuffer = freshBuffer
    this.opened = { k, dictionaries: createDictionaryPool(() => this.makeDictionary(k)) }
  }

  /** @param kernels those that the part is lacking yet. @throws MillraceError `MR_VERSION_MISMATCH` */
  add<P extends PartName>(name: P, part: LaneParts[P], kernels: KernelModule | null): void {
    if (kernels !== null) addKernels(this.k, kernels)
    this.parts[name] = part
  }

  get k(): Kernels {
    return this.instance.k
  }

  get dictionaries(): DictionaryPool {
    return this.instance.dictionaries
  }

  /** Runs in the background; everything it has to say goes over `ports`. */
  start(spec: JobSpec, ports: JobPorts): void {
    void runLaneJob(this, spec, ports)
  }

  /** Lets go of a held table; one that is not here is ignored: a job that failed halfway may not have made it everywhere. */
  release(id: number): void {
    const table = this.tables.get(id)
    if (table === undefined) return
    this.tables.delete(id)
    releaseTable(this, table)
  }

  private makeDictionary(k: Kernels): LaneDictionary {
    const { text } = this.parts
    if (text === undefined) throw new Error('the plan has strings, and their kernels were not loaded')
    return new text.LaneDictionary(k)
  }

  private get instance(): { readonly k: Kernels; readonly dictionaries: DictionaryPool } {
    if (this.opened === null) throw new MillraceError('MR_CLOSED', 'the lane is not open')
    return this.opened
  }
}
