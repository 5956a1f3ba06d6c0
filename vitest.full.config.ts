// All suites that `npm test` runs: Node (the long ones are a project of their own), a browser with and without cross-origin isolation, the packed tarball, and the demo.

import { rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { findBrowser } from './scripts/browser.mjs'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'
import { longSuites } from './vitest.config.js'

const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/**
 * Where a browser keeps its profile. Without one its pages are incognito: their private file system is then in the memory of another process, which is asked for every
 * read and write, and spilling takes ten times as long. In memory where there is room: on a disk that is busy its files may take minutes to open.
 */
function profileFolder(name: string): string {
  const folder = join(freeBytes('/dev/shm') > 2 ** 31 ? '/dev/shm' : tmpdir(), `millrace-${name}-${process.pid}`)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** 0 where there is no such folder. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return 0
  }
}

/** The browser suites on one kind of page: `crossOriginIsolated` is true or false there, and the suites check it. */
const browserProject = (isolated: boolean) => ({
  plugins: [inlinePlugin({ platform: 'web' as const })],
  resolve: sourceResolveOptions('web'),
  server: { headers: isolated ? isolationHeaders : {} },
  optimizeDeps: { include: ['comlink', 'fast-check', 'hyparquet', 'hyparquet-compressors'] },
  define: { __ISOLATED__: JSON.stringify(isolated) },
  test: {
    name: isolated ? 'browser, isolated' : 'browser, plain',
    include: ['test/browser/**/*.test.ts'],
    // What takes its time, and is the same on both.
    exclude: isolated ? [] : ['test/browser/spill.test.ts'],
    testTimeout: 60_000,
    fileParallelism: false,
    sequence: { groupOrder: 1 },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath: findBrowser() ?? undefined, args: ['--no-sandbox', '--js-flags=--expose-gc'] },
        persistentContext: profileFolder(isolated ? 'isolated' : 'plain'),
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
})

// Group by group, two of anything at a time: the Node suites, the two browsers, the package and the demo. All at once are too much for two cores, and time limits would tell.
export default defineConfig({
  test: {
    projects: [
      './vitest.config.ts',
      {
        plugins: [inlinePlugin({ platform: 'node' })],
        resolve: sourceResolveOptions('node'),
        test: { name: 'long', include: longSuites, testTimeout: 60_000, pool: 'threads', maxWorkers: 2 },
      },
      browserProject(true),
      browserProject(false),
      {
        test: {
          name: 'packaging',
          include: ['test/packaging/**/*.test.ts'],
          globalSetup: 'test/packaging/pack.setup.ts',
          testTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'browser, demo',
          include: ['test/demo/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
