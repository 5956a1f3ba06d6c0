// The demo, `npm run demo`: the page in demo/ over the library's sources; the library itself is built by vite.config.ts.

import { defineConfig } from 'vite'
import { root } from './scripts/build-kernels.mjs'
import { inlinePlugin, sourceResolveOptions } from './scripts/inline-plugin.mjs'

export default defineConfig({
  root: `${root}/demo`,
  base: './',
  plugins: [inlinePlugin({ platform: 'web' })],
  resolve: sourceResolveOptions('web'),
  server: { fs: { allow: [root] } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', sourcemap: true, chunkSizeWarningLimit: 1000 },
})
