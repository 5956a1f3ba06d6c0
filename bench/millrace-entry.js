// Finds the built library as a user's program would, through the exports of its package.json.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The repository's root, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * The URL of what `import 'millrace'` loads in Node. This folder has a package.json of its own, so a plain self-import would not
 * reach the library: the name is resolved from the root.
 *
 * @returns {string | null} null where the library has not been built
 */
export function millraceEntry() {
  try {
    const path = createRequire(new URL('../package.json', import.meta.url)).resolve('millrace')
    return existsSync(path) ? pathToFileURL(path).href : null
  } catch {
    return null
  }
}
