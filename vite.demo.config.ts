// The demo, `npm run demo`: the page in demo/ over the library's sources; the library itself is built by vite.config.ts.

import { defineConfig } from 'vite'
import { root } from './scripts/build-kernels.mjs'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'

/** A module of the library, of what it inlines, or of what it depends on. */
const isOfLibrary = (id: string): boolean =>
  id.startsWith(`${root}/src/`) || id.includes('virtual:millrace/') || id.includes('/node_modules/')

/** What comes with a chunk of the page's that opens Parquet files. */
const isOfReader = (id: string): boolean =>
  id.includes('/src/formats/parquet/') || id.includes('hyparquet') || id.includes('millrace/lane/parquet')

/** What a page loads at first: the modules that the library's entry imports by themselves, and no chunk that is loaded on demand. */
function coreOf(modules: (id: string) => { readonly importedIds: readonly string[] } | null): ReadonlySet<string> {
  const core = new Set([`${root}/src/index.ts`])
  for (const id of core) for (const imported of modules(id)?.importedIds ?? []) core.add(imported)
  return core
}

let core: ReadonlySet<string> | null = null

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
          groups: [
            {
              debugName: 'core',
              name(id, context) {
                core ??= coreOf(id => context.getModuleInfo(id))
                return core.has(id) ? 'core' : null
              },
            },
          ],
        },
        // By folders, for demo/meter.ts to count bytes by.
        chunkFileNames: ({ moduleIds }) => {
          const isCore = moduleIds.some(id => core?.has(id))
          const folder = isCore || moduleIds.every(isOfLibrary) ? 'millrace/' : ''
          if (!isCore && moduleIds.some(isOfReader)) return 'assets/parquet/[name]-[hash].js'
          return `assets/${folder}[name]-[hash].js`
        },
      },
    },
  },
})
