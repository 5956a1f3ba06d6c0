// Millrace in a page: chooses the file in an input, as a user does, and passes on what is asked; chromium-page.js is what runs there.

import { openPage } from '../../peers/open-page.js'

const pageText =
  '<!doctype html><input type="file"><script type="module" src="/bench/reading/peers/chromium-page.js"></script>'

/**
 * @param {{ lanes: number, way: 'load' | 'collect' }} options
 * @returns {Promise<import('../readers.js').Reader>}
 */
export async function openReader(options) {
  const { page, version, close } = await openPage(pageText)
  try {
    await page.evaluate(each => globalThis.millrace.open(each), options)
    return {
      version,
      async elsewhere(file) {
        await page.setInputFiles('input', file.path)
        return page.evaluate(each => globalThis.millrace.read(each), file)
      },
      read() {
        throw new Error('a reader in a page is asked through `elsewhere`')
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
