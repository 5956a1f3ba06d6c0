/**
 * A lane: one kernel instance, its private memory, the tables it holds and the jobs it runs. The same code runs in a worker (serve-lane.ts) and,
 * inline, in the calling thread (lane-client.ts); lane-job.ts runs one job.
 */
import { leafType } from '../columnar/type.js'
import { MillraceError } from '../errors.js'
import type { OpenFile } from '../formats/byte-source.js'
import { instantiate, type Kernels } from '../kernels/instance.js'
import type { LaneDictionary } from '../kernels/text.js'
import type { OperatorContext } from '../operators/build.js'
import { computes, type Evaluator } from '../operators/compiled.js'
import { createDictionaryPool, type DictionaryPool } from '../operators/dictionary-pool.js'
import type { PhysicalPlan } from '../plan/physical.js'
import { type HeldTable, releaseTable } from './held-table.js'
import { runLaneJob } from './lane-job.js'
import type { JobPorts, JobSpec, LaneOptions } from './protocol.js'
import type { FormatModule } from './split-reader.js'

type TextKernels = Pick<typeof import('../kernels/text.js'), 'LaneDictionary'>

/** What only some plans need. A worker has it in its text; inline each is a chunk, loaded for the first plan that needs it. */
export interface LaneParts {
  evaluator(): Promise<Evaluator>
  text(): Promise<TextKernels>
}

export class Lane implements OperatorContext {
  readonly extensions = new Map<string, FormatModule>()
  readonly tables = new Map<number, HeldTable>()
  evaluator: Evaluator | null = null
  private text: TextKernels | null = null
  private opened: { readonly k: Kernels; readonly dictionaries: DictionaryPool } | null = null

  /** @param openFile null where there are no paths. */
  constructor(
    readonly openFile: OpenFile | null,
    private readonly parts: LaneParts,
  ) {}

  /** @throws MillraceError `MR_VERSION_MISMATCH`, `MR_MEMORY_LIMIT` */
  open(options: LaneOptions): void {
    const k = instantiate(options.kernels, { seed: options.seed, maximumBytes: options.maximumBytes })
    this.opened = { k, dictionaries: createDictionaryPool(() => this.makeDictionary(k)) }
  }

  /** Loads what the plan needs and no plan before it needed. */
  async prepare(plan: PhysicalPlan): Promise<void> {
    const computing = computes(plan)
    // A constant of a computation may be a string where no column is.
    if (computing || hasText(plan)) this.text ??= await this.parts.text()
    if (computing) this.evaluator ??= await this.parts.evaluator()
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
    if (this.text === null) throw new Error('the plan has strings, and their kernels were not loaded')
    return new this.text.LaneDictionary(k)
  }

  private get instance(): { readonly k: Kernels; readonly dictionaries: DictionaryPool } {
    if (this.opened === null) throw new MillraceError('MR_CLOSED', 'the lane is not open')
    return this.opened
  }
}

/** Whether the lane meets a column of strings. */
function hasText({ sourceColumns, sourceSchema, scan, final }: PhysicalPlan): boolean {
  const types = [...scan, ...final].flatMap(({ output }) => Object.values(output))
  return [...sourceColumns.map(name => sourceSchema[name]), ...types].some(type => leafType(type).kind === 'utf8')
}
