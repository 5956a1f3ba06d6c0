// Builds the demo and takes the screenshots beside this file: `node demo/screenshots/take.mjs [font.woff2]`.
// The font stands in for the system's on a machine that has no good one.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { ensureBrowser } from '../../scripts/browser.mjs'
import { buildDemo, serveSite } from '../../test/demo/site.mjs'

const [font] = process.argv.slice(2)
const style = font
  ? `@font-face { font-family: shot; font-weight: 100 900; src: url(data:font/woff2;base64,${await readFile(font, 'base64')}) }
     body { font-family: shot, sans-serif }`
  : ''

const folder = await mkdtemp(join(tmpdir(), 'millrace-shots-'))
await buildDemo(folder)
const site = await serveSite(folder)
const browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })
try {
  await take('desktop', { viewport: { width: 1280, height: 900 } }, true)
  await take('phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true })
  await takeLive('live', { viewport: { width: 1280, height: 900 } })
} finally {
  await browser.close()
  site.close()
  await rm(folder, { recursive: true })
}

async function take(name, options, fullPage = false) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await page.goto(site.url)
  await page.addStyleTag({ content: style || '/**/' })
  await page.waitForSelector('body[data-state=ready]')
  for (const preset of ['1+ hour', '15+ min late']) {
    await page.getByRole('button', { name: preset }).click()
    await page.waitForSelector('body[data-state=ready]')
    await page.waitForTimeout(500)
  }
  await page.mouse.move(0, 0)
  await page.screenshot({ path: join(import.meta.dirname, `${name}.png`), fullPage })
  await context.close()
}

/** In the middle of a day, some days after the start, at a speed that can be followed. */
async function takeLive(name, options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  await page.goto(new URL('live.html?lanes=2', site.url).href)
  await page.addStyleTag({ content: style || '/**/' })
  await page.waitForSelector('body[data-state=playing]')
  const speed = page.getByRole('slider', { name: 'Speed' })
  for (const [place, until] of [
    ['5', /^\w+ 7 Jan/],
    ['2', /^\w+ 7 Jan 2001, (2[0-3])/],
  ]) {
    await speed.fill(place)
    await page.locator('#clock', { hasText: until }).waitFor({ timeout: 60_000 })
  }
  await speed.blur()
  await page.waitForTimeout(500)
  await page.screenshot({ path: join(import.meta.dirname, `${name}.png`), fullPage: true })
  await context.close()
}
