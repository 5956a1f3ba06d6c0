// The inner loop, `npx vitest`: what is quick, in Node, in under a minute. All other suites are in vitest.full.config.ts.

import { defineConfig } from 'vitest/config'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'

/** Suites in Node that take more than some seconds: many random flows, a thousand aborted jobs, a file of three million rows, sketches over many seeds, files damaged in many ways, a million numbers from text. */
export const longSuites = [
  'test/laws/laws.test.ts',
  'test/laws/spilling.test.ts',
  'test/flow/flights.test.ts',
  'test/flow/leaks.test.ts',
  'test/flow/joins.test.ts',
  'test/flow/spill.test.ts',
  'test/flow/parquet.test.ts',
  'test/flow/arrow.test.ts',
  'test/kernels/reproducible.test.ts',
  'test/formats/parquet/damage.test.ts',
  'test/formats/fuzz.test.ts',
  'test/formats/arrow/damage.test.ts',
  'test/types/compiler.test.ts',
  'test/kernels/flooding.test.ts',
  'test/kernels/json-properties.test.ts',
  'test/kernels/memory.test.ts',
  'test/kernels/parse/float-million.test.ts',
  'test/kernels/group.test.ts',
  'test/kernels/aggregate/sum-float.test.ts',
  'test/kernels/aggregate/multiset.test.ts',
  'test/kernels/aggregate/kept-values.test.ts',
  'test/kernels/aggregate/moments.test.ts',
  'test/kernels/aggregate/moments-retract.test.ts',
  'test/kernels/aggregate/hyper-log-log.test.ts',
  'test/kernels/aggregate/space-saving.test.ts',
  'test/kernels/aggregate/dd-sketch.test.ts',
  'test/bench/suite.test.ts',
  'test/flow/lists.test.ts',
  'test/flow/sinks.test.ts',
  'test/flow/user-code.test.ts',
  'test/flow/texts.test.ts',
  'test/formats/text-files.test.ts',
  'test/formats/parquet/flights.test.ts',
  'test/formats/parquet/written.test.ts',
  'test/kernels/instance.test.ts',
  'test/kernels/csv.test.ts',
  'test/kernels/aggregate/aggregation.test.ts',
  'test/kernels/aggregate/arg-min-max.test.ts',
  'test/kernels/aggregate/list.test.ts',
  'test/kernels/aggregate/retract.test.ts',
  'test/kernels/aggregate/top-k.test.ts',
]

export default defineConfig({
  plugins: [inlinePlugin({ platform: 'node' })],
  resolve: sourceResolveOptions('node'),
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/demo/**', 'test/packaging/**', ...longSuites],
    testTimeout: 30_000,
    pool: 'threads',
    // Files of one thread share their modules, which halves the time; a file leaves nothing behind that another could trip over.
    isolate: false,
    maxWorkers: 2,
  },
})
