// `npm start`: builds the library if it is stale, then runs the main job with the arguments given.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildLibrary } from './build.mjs'
import { root } from './build-kernels.mjs'

await buildLibrary()
const job = join(root, 'examples/main-job/main.js')
const { status } = spawnSync(process.execPath, [job, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
