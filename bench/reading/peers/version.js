// The version of a package that was installed, wherever its package.json may not be imported.

import { readFileSync } from 'node:fs'

/** @param {string} name of a dependency in ../../package.json */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
}
