// Finds a Chromium for the browser tests, or installs Debian's; the tests start it through vitest.full.config.ts.

import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge']

const usualPaths = {
  linux: ['/usr/bin', '/usr/local/bin', '/snap/bin'].flatMap(folder => names.map(name => join(folder, name))),
  darwin: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
    name => `/Applications/${name}.app/Contents/MacOS/${name}`,
  ),
  win32: [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA]
    .filter(Boolean)
    .flatMap(folder => [
      join(folder, 'Google/Chrome/Application/chrome.exe'),
      join(folder, 'Microsoft/Edge/Application/msedge.exe'),
    ]),
}

/**
 * The path of a Chromium: `CHROME_PATH` where it is set, else the first in the usual places and on the PATH.
 *
 * @returns {string | null} null where there is none, or none where `CHROME_PATH` says
 */
export function findBrowser() {
  const named = process.env.CHROME_PATH
  if (named) return isExecutable(named) ? named : null
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap(folder => names.map(name => join(folder, name)))
  return [...(usualPaths[process.platform] ?? []), ...onPath].find(isExecutable) ?? null
}

/**
 * The path of a Chromium, installed by apt-get where there is none and this is Debian and the user is root.
 *
 * @returns {string}
 */
export function ensureBrowser() {
  const found = findBrowser()
  if (found) return found
  const named = process.env.CHROME_PATH
  if (named)
    throw new Error(`CHROME_PATH is ${named}: no executable file. Name a Chromium or Chrome there, or unset it.`)
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    console.log('No Chromium found: installing the package chromium.')
    const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    execFileSync('apt-get', ['update'], options)
    execFileSync('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], options)
    const installed = findBrowser()
    if (installed) return installed
  }
  throw new Error(
    'The browser tests need Chromium or Chrome, and none was found. Install one (Debian: `apt-get install chromium`; ' +
      'macOS: `brew install --cask google-chrome`), or set CHROME_PATH to the path of its executable.',
  )
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(ensureBrowser())
