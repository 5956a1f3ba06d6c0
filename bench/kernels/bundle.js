// Makes library.ts, which is TypeScript over the library's sources, into a module that Node runs.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'
import { externals, inlinePlugin, resolveOptions } from '../../scripts/inline-plugin.mjs'

/** @returns {Promise<typeof import('./library.js')>} the bindings of the sources as they are now */
export async function importLibrary() {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    await build({
      root: fileURLToPath(new URL('.', import.meta.url)),
      configFile: false,
      logLevel: 'error',
      plugins: [inlinePlugin({ platform: 'node' })],
      resolve: resolveOptions('node'),
      build: {
        outDir: folder,
        target: 'es2022',
        minify: false,
        lib: {
          entry: fileURLToPath(new URL('./library.ts', import.meta.url)),
          formats: ['es'],
          fileName: () => 'library.mjs',
        },
        rolldownOptions: { external: externals('node') },
      },
    })
    return await import(pathToFileURL(join(folder, 'library.mjs')).href)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
