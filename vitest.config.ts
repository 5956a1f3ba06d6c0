// The inner loop, `npx vitest`: the unit tests, in Node. All other suites are in vitest.full.config.ts.

import { defineConfig } from 'vitest/config'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'

export default defineConfig({
  plugins: [inlinePlugin({ platform: 'node' })],
  resolve: sourceResolveOptions('node'),
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/demo/**', 'test/packaging/**'],
    testTimeout: 30_000,
    pool: 'threads',
    maxWorkers: 2,
  },
})
