// The demo, `npm run demo`: the page in demo/ over the library's sources; the library itself is built by vite.config.ts.

import { defineConfig } from 'vite'
import { root } from './scripts/build-kernels.mjs'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'

/** The library apart from the page and the Parquet reader apart from both, under names that demo/meter.ts counts bytes by. */
const chunkNames: Record<string, string> = {
  'src/formats/parquet/lane-extension.ts': 'parquet',
  'virtual:millrace/lane/parquet': 'parquet-lane',
  'virtual:millrace/worker': 'worker-text',
  'virtual:millrace/lane/evaluate': 'evaluate-text',
  'virtual:millrace/lane/text': 'dictionary-text',
  'virtual:millrace/lane/integers': 'integers-text',
  'virtual:millrace/lane/extremes': 'extremes-text',
  'virtual:millrace/lane/aggregates': 'aggregates-text',
  'virtual:millrace/lane/partitions': 'partitions-text',
  'virtual:millrace/lane/sets': 'sets-text',
  'virtual:millrace/kernels/core': 'kernels-core',
  'virtual:millrace/kernels/evaluate': 'kernels-evaluate',
  'virtual:millrace/kernels/text': 'kernels-text',
  'virtual:millrace/kernels/integers': 'kernels-integers',
  'virtual:millrace/kernels/extremes': 'kernels-extremes',
  'virtual:millrace/kernels/aggregates': 'kernels-aggregates',
  'virtual:millrace/kernels/partitions': 'kernels-partitions',
}

/** A folder in src/formats is a format's, or what several share: loaded when one is. */
const isCore = (id: string): boolean =>
  (id.startsWith(`${root}/src/`) && !/^\/src\/formats\/[^/]+\//.test(id.slice(root.length))) ||
  /\/node_modules\/comlink\//.test(id)

export default defineConfig({
  root: `${root}/demo`,
  base: './',
  plugins: [inlinePlugin({ platform: 'web' })],
  resolve: sourceResolveOptions('web'),
  server: { fs: { allow: [root] } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: [`${root}/demo/index.html`, `${root}/demo/live.html`],
      output: {
        codeSplitting: {
          groups: [{ name: 'millrace', test: isCore }],
        },
        chunkFileNames: ({ facadeModuleId, name }) => {
          const id = (facadeModuleId ?? '').replace('\0', '').replaceAll('\\', '/').replace(`${root}/`, '')
          return `assets/${chunkNames[id] ?? name}-[hash].js`
        },
      },
    },
  },
})
