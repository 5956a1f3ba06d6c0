// Options: every wrong one refused by name, before anything is opened.
import { describe, expect, it } from 'vitest'
import { checkOptions, type RunOptions } from '../../../src/engines/local/options.js'
import { columns, createEngine } from '../../../src/index.js'
import { refusal } from '../../flow/env.js'

const engine = { lanes: 2, close: async () => {} } as RunOptions['engine']

describe('options', () => {
  it('that are right are let through', () => {
    for (const options of [
      {},
      { lanes: 0 },
      { lanes: 64, memory: 2 ** 20 },
      { engine },
      { engine, lanes: 2 },
      { engine, memory: 2 ** 30 },
      { signal: new AbortController().signal, onProgress: () => {} },
      { lanes: undefined, memory: undefined, signal: undefined, onProgress: undefined, engine: undefined },
    ]) {
      checkOptions('test', options as RunOptions)
    }
  })

  it('that are wrong are refused, saying which', async () => {
    const wrong: [unknown, string][] = [
      [null, 'options are an object'],
      ['lanes', 'options are an object'],
      [{ lane: 2 }, 'did you mean lanes?'],
      [{ parallel: true }, 'there are lanes, memory, engine, signal, onProgress'],
      [{ lanes: -1 }, 'from 0 (inline) to 64'],
      [{ lanes: 1.5 }, 'lanes is a whole number'],
      [{ lanes: 65 }, '65'],
      [{ lanes: '2' }, 'not "2"'],
      [{ lanes: NaN }, 'NaN'],
      [{ memory: 2 ** 20 - 1 }, 'at least 1 MiB'],
      [{ memory: Infinity }, 'Infinity'],
      [{ signal: { aborted: false } }, 'signal is an AbortSignal'],
      [{ onProgress: 5 }, 'onProgress is a function'],
      [{ engine, lanes: 3 }, 'the engine has 2 lanes'],
    ]
    for (const [options, part] of wrong) {
      const { message, details } = await refusal(() => checkOptions('test', options as RunOptions), 'MR_INVALID_OPTION')
      const names = Object.keys(Object(options))
      expect(details).toEqual({
        operator: 'test',
        option: typeof options === 'object' && options !== null ? names.at(-1) : 'options',
      })
      expect(message).toContain('test: ')
      expect(message).toContain(part)
    }
  })

  it('every terminal refuses them by rejecting, a run when it is awaited', async () => {
    const flow = columns({ x: Float64Array.of(1) })
    for (const options of [{ lanes: -1 }, { onProgress: 5 }, { signal: 'x' }, { engine: {} }, { wrong: 1 }]) {
      const wrong = options as never
      await refusal(() => flow.collect(wrong), 'MR_INVALID_OPTION')
      await refusal(() => flow.load(wrong), 'MR_INVALID_OPTION')
      const job = flow.run(wrong)
      await refusal(() => job.finished, 'MR_INVALID_OPTION')
      await refusal(async () => {
        for await (const batch of job) throw new Error(`a batch of ${batch.rowCount} rows`)
      }, 'MR_INVALID_OPTION')
    }
    await refusal(() => createEngine({ engine } as never), 'MR_INVALID_OPTION')
    await refusal(() => createEngine(null as never), 'MR_INVALID_OPTION')
  })
})
