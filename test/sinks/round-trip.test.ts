// What is written reads back equal by the library's own readers: every type, every value, whatever the options of the format.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordBatch } from '../../src/columnar/record-batch.js'
import { leafType } from '../../src/columnar/type.js'
import type { BatchEncoder } from '../../src/formats/batch-encoder.js'
import { type CsvWriteOptions, createCsvEncoder } from '../../src/formats/csv/write.js'
import { createJsonEncoder } from '../../src/formats/json/write.js'
import { csv, json, ndjson } from '../../src/index.js'
import { type Sample, samples } from '../columnar/arbitraries.js'
import { batchOf, bytesOf } from '../formats/written-text.js'

const given = (usable: (sample: Sample) => boolean) =>
  samples().map(({ samples: all }) => {
    const names = ['', 'b,c', ' d', 'e"\n', 'f']
    return batchOf(Object.fromEntries(all.filter(usable).map((sample, i) => [names[i] as string, sample])))
  })
const isScalar = ({ type }: Sample) => type.kind !== 'list'
const hasNumbers = ({ values }: Sample): boolean =>
  values.flat(3).every(value => typeof value !== 'number' || Number.isFinite(value))
const written = (encoder: BatchEncoder, batch: RecordBatch) => bytesOf(encoder, batch)
/** NaN equals itself, and -0 is not 0. */
const expectEqual = async (
  flow: { collect(o: object): Promise<{ toRows(o: object): unknown[] }> },
  batch: RecordBatch,
) => expect((await flow.collect({ lanes: 0 })).toRows({ bigint: true })).toEqual(batch.toRows({ bigint: true }))

describe('what is written reads back equal', () => {
  it('as CSV', async () => {
    const options: fc.Arbitrary<CsvWriteOptions & { nulls: string }> = fc.record({
      delimiter: fc.constantFrom(',', ';', '\t', '|', ':', '-'),
      quote: fc.constantFrom('"', "'"),
      quoted: fc.constantFrom('needed', 'strings', 'all'),
      header: fc.boolean(),
      lineEnd: fc.constantFrom('\n', '\r\n'),
      nulls: fc.constantFrom('', 'NA', '0', 'NaN'),
    })
    const law = fc.asyncProperty(given(isScalar), options, async (batch, chosen) => {
      const { schema } = batch
      fc.pre(Object.keys(schema).length > 0)
      const { delimiter, quote, header, nulls } = chosen as Required<CsvWriteOptions>
      const bytes = written(createCsvEncoder(schema, chosen), batch)
      const named = header ? header : Object.keys(schema)
      await expectEqual(csv(bytes, { schema, delimiter, quote, header: named, nulls: [nulls] }), batch)
    })
    await fc.assert(law, { numRuns: 100 })
  })

  it('as JSON, of lines and of an array', async () => {
    const usable = (sample: Sample) => hasNumbers(sample) && leafType(sample.type) === (sample.type.item ?? sample.type)
    const law = fc.asyncProperty(given(usable), fc.boolean(), async (batch, isArray) => {
      const { schema } = batch
      fc.pre(Object.keys(schema).length > 0)
      const bytes = written(createJsonEncoder(schema, {}, isArray ? 'array' : 'lines'), batch)
      await expectEqual((isArray ? json : ndjson)(bytes, { schema }), batch)
    })
    await fc.assert(law, { numRuns: 100 })
  })
})
