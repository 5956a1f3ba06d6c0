// Builds, packs and unpacks the library once for the suites in this folder, which only see what a consumer would get.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { buildLibrary } from '../../scripts/build.mjs'
import { root } from '../../scripts/build-kernels.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The packed library, a .tgz. */
    tarball: string
    /** A folder outside the repository with the tarball's files in node_modules/millrace. */
    consumer: string
  }
}

const execute = promisify(execFile)

export default async function setup(project: TestProject) {
  await buildLibrary()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-consumer-'))
  const { stdout } = await execute('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    shell: process.platform === 'win32',
  })
  const tarball = join(folder, JSON.parse(stdout)[0].filename)
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@types'), { recursive: true })
  await execute('tar', ['-xzf', tarball, '-C', modules])
  await rename(join(modules, 'package'), join(modules, 'millrace'))
  await symlink(join(root, 'node_modules/@types/node'), join(modules, '@types/node'), 'junction')
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  project.provide('tarball', tarball)
  project.provide('consumer', folder)
  return () => rm(folder, { recursive: true, force: true })
}
