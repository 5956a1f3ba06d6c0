// The library's bundles, one platform at a time: `vite build --mode node` or `--mode web` (scripts/build.mjs runs both).

import { defineConfig, type Rolldown } from 'vite'
import { root } from './scripts/build-kernels.mjs'
import { externals, inlinePlugin, licencePlugin, requirePlugin, resolveOptions } from './scripts/inline-plugin.mjs'

/** Chunks loaded on first use, by the module they begin with; their names are part of what is published. */
const chunkNames: Record<string, string> = {
  'src/formats/input.ts': 'inputs.js',
  'src/workers/match-files.node.ts': 'match-files.js',
  'src/formats/parquet/file.ts': 'parquet-file.js',
  'src/formats/parquet/lane-extension.ts': 'parquet.js',
  'virtual:millrace/lane/parquet': 'parquet-lane.js',
  'src/formats/arrow/file.ts': 'arrow-file.js',
  'src/formats/arrow/lane-extension.ts': 'arrow.js',
  'virtual:millrace/lane/arrow': 'arrow-lane.js',
  'src/formats/arrow/write.ts': 'arrow-writer.js',
  'src/formats/csv/write.ts': 'csv-writer.js',
  'src/formats/json/write.ts': 'json-writer.js',
  'virtual:millrace/worker': 'worker-text.js',
  'virtual:millrace/lane/evaluate': 'evaluate-lane.js',
  'virtual:millrace/lane/numbers': 'numbers-lane.js',
  'virtual:millrace/lane/strings': 'strings-lane.js',
  'virtual:millrace/lane/times': 'times-lane.js',
  'virtual:millrace/lane/conditions': 'conditions-lane.js',
  'virtual:millrace/lane/casts': 'casts-lane.js',
  'virtual:millrace/lane/hashes': 'hashes-lane.js',
  'virtual:millrace/lane/userKernels': 'user-kernels-lane.js',
  'virtual:millrace/lane/text': 'text-lane.js',
  'virtual:millrace/lane/integers': 'integers-lane.js',
  'virtual:millrace/lane/extremes': 'extremes-lane.js',
  'virtual:millrace/lane/aggregates': 'aggregates-lane.js',
  'virtual:millrace/lane/sets': 'sets-lane.js',
  'virtual:millrace/lane/windows': 'windows-lane.js',
  'virtual:millrace/lane/windowParts': 'window-parts-lane.js',
  'virtual:millrace/lane/shapes': 'shapes-lane.js',
  'virtual:millrace/lane/carried': 'carried-lane.js',
  'virtual:millrace/lane/over': 'over-lane.js',
  'virtual:millrace/lane/spill': 'spill-lane.js',
  'virtual:millrace/lane/partitions': 'partitions-lane.js',
  'virtual:millrace/lane/joins': 'joins-lane.js',
  'virtual:millrace/lane/userCode': 'user-code-lane.js',
  'virtual:millrace/lane/csv': 'csv-lane.js',
  'virtual:millrace/lane/json': 'json-lane.js',
  'virtual:millrace/lane/files': 'files-lane.js',
  'virtual:millrace/kernels/core': 'kernels-core.js',
  'virtual:millrace/kernels/numbers': 'kernels-numbers.js',
  'virtual:millrace/kernels/strings': 'kernels-strings.js',
  'virtual:millrace/kernels/times': 'kernels-times.js',
  'virtual:millrace/kernels/conditions': 'kernels-conditions.js',
  'virtual:millrace/kernels/casts': 'kernels-casts.js',
  'virtual:millrace/kernels/hashes': 'kernels-hashes.js',
  'virtual:millrace/kernels/evaluate': 'kernels-evaluate.js',
  'virtual:millrace/kernels/text': 'kernels-text.js',
  'virtual:millrace/kernels/integers': 'kernels-integers.js',
  'virtual:millrace/kernels/extremes': 'kernels-extremes.js',
  'virtual:millrace/kernels/aggregates': 'kernels-aggregates.js',
  'virtual:millrace/kernels/partitions': 'kernels-partitions.js',
  'virtual:millrace/kernels/joins': 'kernels-joins.js',
  'virtual:millrace/kernels/csv': 'kernels-csv.js',
  'virtual:millrace/kernels/json': 'kernels-json.js',
}

const entry = `${root}/src/index.ts`

const lane = `${root}/src/workers/lane.ts`

/**
 * What some of the API's functions have in common with what is loaded on first use, and many a program calls nothing of. A bundler takes a chunk's code to wherever any of it is used
 * first: in the core these would be fetched by every program.
 */
const shared = [
  'api/conditions',
  'expressions/zone-offsets',
  'metrics/clock',
  'plan/steps-before',
  'plan/window-rows',
  'plan/windows',
  'sources/settled-over',
  'sources/soon',
].map(name => `${root}/src/${name}.ts`)

/**
 * Puts all that the entry imports, however far down, into one chunk, but for what is `shared`, and all else that the inline lane imports into another; what is imported on first use stays
 * out.
 */
function groups() {
  let core: Set<string> | null = null
  let inline: Set<string> | null = null
  return {
    debugName: 'millrace',
    name(id: string, context: Rolldown.ChunkingContext) {
      const importsOf = (path: string) => context.getModuleInfo(path)?.importedIds ?? []
      core ??= closure(entry, importsOf)
      inline ??= closure(lane, importsOf)
      if (core.has(id)) return id === entry ? null : shared.includes(id) ? 'shared' : 'core'
      return inline.has(id) ? 'lane' : null
    },
  }
}

function closure(from: string, importsOf: (path: string) => readonly string[]) {
  const reached = new Set([from])
  for (const path of reached) for (const next of importsOf(path)) reached.add(next)
  return reached
}

export default defineConfig(({ mode }) => {
  const platform = mode === 'node' ? 'node' : 'web'
  return {
    resolve: resolveOptions(platform),
    plugins: [inlinePlugin({ platform, published: true }), licencePlugin(), requirePlugin()],
    publicDir: false,
    build: {
      outDir: `dist/${platform}`,
      emptyOutDir: true,
      target: 'es2022',
      minify: false,
      sourcemap: true,
      modulePreload: false,
      reportCompressedSize: false,
      lib: { entry: { index: entry }, formats: ['es'] },
      rolldownOptions: {
        preserveEntrySignatures: 'allow-extension',
        platform: platform === 'node' ? 'node' : 'browser',
        external: externals(platform),
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: ({ facadeModuleId, name }) => {
            const id = (facadeModuleId ?? '').replace('\0', '').replaceAll('\\', '/').replace(`${root}/`, '')
            return chunkNames[id] ?? `${name}.js`
          },
          // Whole, not only what index.js and a format share: it compresses better, and is then fetched but once.
          codeSplitting: { groups: [groups()], includeDependenciesRecursively: false },
        },
      },
    },
  }
})
