// Millrace in Node: finds the build; millrace-flows.js has what is asked of it.

import { pathToFileURL } from 'node:url'
import { millraceEntry } from '../millrace-entry.js'
import { openMillrace } from './millrace-flows.js'

/**
 * @param {{ lanes: number, entry?: string }} options `entry` is the path of another build to measure
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ lanes, entry }) {
  const url = entry ? pathToFileURL(entry).href : millraceEntry()
  if (!url) throw new Error('Millrace has not been built: run `npm run build` first')
  return openMillrace(await import(url), lanes)
}
