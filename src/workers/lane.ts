/**
 * A lane: one kernel instance, its private memory, the tables it holds and the jobs it runs. The same code runs in a worker (serve-lane.ts) and,
 * inline, in the calling thread (lane-client.ts); lane-job.ts runs one job.
 */
import { MillraceError } from '../errors.js'
import type { OpenFile } from '../formats/byte-source.js'
import { instantiate, type Kernels } from '../kernels/instance.js'
import type { OperatorContext } from '../operators/build.js'
import type { Evaluator } from '../operators/compiled.js'
import { createDictionaryPool, type DictionaryPool } from '../operators/dictionary-pool.js'
import { type HeldTable, releaseTable } from './held-table.js'
import { runLaneJob } from './lane-job.js'
import type { JobPorts, JobSpec, LaneOptions } from './protocol.js'
import type { FormatModule } from './split-reader.js'

export class Lane implements OperatorContext {
  readonly extensions = new Map<string, FormatModule>()
  readonly tables = new Map<number, HeldTable>()
  evaluator: Evaluator | null = null
  private opened: { readonly k: Kernels; readonly dictionaries: DictionaryPool } | null = null

  /**
   * @param openFile null where there are no paths.
   * @param importEvaluator a worker has it in its text; inline it is a chunk, loaded for the first plan that computes.
   */
  constructor(
    readonly openFile: OpenFile | null,
    private readonly importEvaluator: () => Promise<Evaluator>,
  ) {}

  /** @throws MillraceError `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
  open(options: LaneOptions): void {
    const k = instantiate(options.kernels, { seed: options.seed, maximumBytes: options.maximumBytes })
    this.opened = { k, dictionaries: createDictionaryPool(k) }
  }

  async loadEvaluator(): Promise<void> {
    this.evaluator ??= await this.importEvaluator()
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

  private get instance(): { readonly k: Kernels; readonly dictionaries: DictionaryPool } {
    if (this.opened === null) throw new MillraceError('MR_CLOSED', 'the lane is not open')
    return this.opened
  }
}
