// The lockfile, which `npm ci` takes at its word on machines unlike the one that wrote it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../scripts/build-kernels.mjs'

interface LockedPackage {
  readonly resolved?: string
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

const lockfile: { packages: Record<string, LockedPackage> } = JSON.parse(
  await readFile(join(root, 'package-lock.json'), 'utf8'),
)
const packages = Object.entries(lockfile.packages)

test('the lockfile names no registry', () => {
  expect(packages.filter(([, { resolved }]) => resolved).map(([path]) => path)).toEqual([])
})

test('the lockfile has every package that another needs, those of other platforms included', () => {
  const names = new Set(packages.map(([path]) => path.replace(/^.*node_modules\//, '')))
  const missing = packages.flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter(name => !names.has(name))
      .map(name => `${name}, which ${path} needs`),
  )
  expect(missing).toEqual([])
})
