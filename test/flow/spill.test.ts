/** Spilling in Node, on 0 to 3 lanes, and on a disk that fills up; in a browser test/browser/flow.test.ts runs the suite. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columns, createEngine, desc, sum } from '../../src/index.js'
import { counted, refusal } from './env.js'
import { nodeEnv } from './env.node.js'
import { spillSuite } from './spill.suite.js'

const { MILLRACE_SEED: seed, TMPDIR: usual } = process.env

// Other suites spill beside this one, in the same process: what this thread's engines write, and their lanes, goes to a folder of its own, which is looked into.
const temporary = mkdtempSync(join(tmpdir(), 'millrace-spill-'))
process.env.TMPDIR = temporary
afterAll(() => {
  if (usual === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = usual
  rmSync(temporary, { recursive: true })
})

spillSuite([0, 1, 2, 3], nodeEnv(), seed === undefined ? undefined : Number(seed))

describe("a folder of one's own", () => {
  const MiB = 2 ** 20
  let folder = ''
  let isSmall = false
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spill-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
      isSmall = true
    } catch {
      // Only root may.
    }
  })
  afterAll(async () => {
    if (isSmall) execFileSync('umount', [folder])
    await rmdir(folder)
  })

  it('is where files are', async () => {
    const engine = await createEngine({ lanes: 0, spill: folder })
    const few = columns(counted(150_000)).orderBy(desc('id'))
    expect((await few.collect({ engine, memory: 3 * MiB })).column('id').at(0)).toBe(149_999)
    expect(await readdir(folder)).toEqual([])
    await engine.close()
  })

  it('that is full refuses by code, and leaves nothing behind', async context => {
    if (!isSmall) context.skip()
    for (const lanes of [0, 2]) {
      const engine = await createEngine({ lanes, spill: folder })
      const all = columns(counted(1_000_000))
      for (const flow of [all.orderBy(desc('id')), all.groupBy('id').aggregate(t => ({ s: sum(t.value) }))]) {
        const error = await refusal(
          () => flow.collect({ engine, memory: 3 * MiB * Math.max(1, lanes) }),
          'MR_MEMORY_LIMIT',
        )
        expect(error.message).toContain('ENOSPC')
        expect(error.message).toContain(folder)
        expect(await readdir(folder)).toEqual([])
      }
      // There is room again.
      const few = columns(counted(150_000)).orderBy(desc('id'))
      expect((await few.collect({ engine, memory: 3 * MiB * Math.max(1, lanes) })).rowCount).toBe(150_000)
      await engine.close()
    }
  })

  it('that is not there refuses by code', async () => {
    const engine = await createEngine({ lanes: 0, spill: join(folder, 'none') })
    const error = await refusal(
      () =>
        columns(counted(400_000))
          .orderBy(desc('id'))
          .collect({ engine, memory: 3 * MiB }),
      'MR_MEMORY_LIMIT',
    )
    expect(error.message).toContain('ENOENT')
    await engine.close()
  })
})
