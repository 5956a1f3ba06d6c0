// The library's bundles, one platform at a time: `vite build --mode node` or `--mode web` (scripts/build.mjs runs both).

import { defineConfig } from 'vite'
import { root } from './scripts/build-kernels.mjs'
import { externals, inlinePlugin, licencePlugin, resolveOptions } from './scripts/inline-plugin.mjs'

/** Chunks loaded on first use, by the module they begin with; their names are part of what is published. */
const chunkNames: Record<string, string> = {
  'src/formats/parquet/lane-extension.ts': 'parquet.js',
  'virtual:millrace/lane/parquet': 'parquet-lane.js',
  'virtual:millrace/worker': 'worker-text.js',
  'virtual:millrace/kernels': 'kernels-text.js',
}

export default defineConfig(({ mode }) => {
  const platform = mode === 'node' ? 'node' : 'web'
  return {
    resolve: resolveOptions(platform),
    plugins: [inlinePlugin({ platform }), licencePlugin()],
    publicDir: false,
    build: {
      outDir: `dist/${platform}`,
      emptyOutDir: true,
      target: 'es2022',
      minify: false,
      sourcemap: true,
      modulePreload: false,
      reportCompressedSize: false,
      lib: { entry: { index: `${root}/src/index.ts` }, formats: ['es'] },
      rolldownOptions: {
        platform: platform === 'node' ? 'node' : 'browser',
        external: externals(platform),
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: ({ facadeModuleId, isDynamicEntry, name }) => {
            const id = (facadeModuleId ?? '').replace('\0', '').replaceAll('\\', '/').replace(`${root}/`, '')
            // What index.js and a chunk loaded later share has no module of its own to be named after.
            return chunkNames[id] ?? (isDynamicEntry ? `${name}.js` : 'core.js')
          },
        },
      },
    },
  }
})
