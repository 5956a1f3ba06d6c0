// Millrace in a page: passes on what is asked and serves the exact answers; chromium-page.js is what runs there.

import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { openPage } from './open-page.js'

const pageText = '<!doctype html><script type="module" src="/bench/peers/chromium-page.js"></script>'

/**
 * @param {{ lanes: number }} options
 * @returns {Promise<import('./catalogue.js').Peer>}
 */
export async function openPeer({ lanes }) {
  /** The answer that the page may fetch now. */
  let answer = ''
  const { page, version, close } = await openPage(pageText, path =>
    path === '/answer' || path === '/answer.json' ? readFile(`${answer}${extname(path)}`) : null,
  )
  try {
    await page.evaluate(lanes => globalThis.millrace.open(lanes), lanes)
    return {
      version,
      elsewhere: {
        load: (...table) => page.evaluate(each => globalThis.millrace.load(...each), table),
        ask: (id, expected) => {
          answer = expected
          return page.evaluate(id => globalThis.millrace.ask(id), id)
        },
      },
      load: elsewhere,
      run: elsewhere,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function elsewhere() {
  throw new Error('a peer in a page is asked through `elsewhere`')
}
