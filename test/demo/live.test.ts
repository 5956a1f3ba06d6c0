// The live page in Chromium, as a visitor has it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureBrowser } from '../../scripts/browser.mjs'
import { longestTaskMs } from './main-thread.js'
import { buildDemo, serveSite } from './site.mjs'

/** Of processor time; a machine much slower than a phone of today may need more. */
const longTaskMs = Number(process.env.MILLRACE_LONG_TASK_MS ?? 50)
/** Places of the slider. */
const [HOUR, DAY, FULL] = [1, 5, 8]

/**
 * Of all flights, counted row by row in Node from the file as hyparquet reads it, in the order of date and delay together: those whose hour had ended two hours before the
 * latest date so far, where none is taken for the latest that is six hours further than the one before.
 */
const ALL_LATE = 41_618

let folder: string
let site: Awaited<ReturnType<typeof serveSite>>
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-live-'))
  await buildDemo(folder)
  site = await serveSite(folder)
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })
}, 120_000)

afterAll(async () => {
  await browser?.close()
  site?.close()
  await rm(folder, { recursive: true, force: true })
})

async function open(lanes: number, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  const page = await context.newPage()
  /** Whatever a visitor with the console open would see. */
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => complaints.push(message.text()))
  return { page, complaints, url: `${site.url}live.html?lanes=${lanes}` }
}

const reached = (page: Page, state: string) => page.waitForSelector(`body[data-state=${state}]`, { timeout: 90_000 })

/** Reports that have been played, as the page tells them. */
async function played(page: Page): Promise<number> {
  const text = (await page.locator('#played').textContent()) ?? ''
  return Number((/^[\d,]+/.exec(text)?.[0] ?? '0').replaceAll(',', ''))
}

const setSpeed = (page: Page, place: number) => page.getByRole('slider', { name: 'Speed' }).fill(String(place))

/** A figure's value and its detail. */
const figure = (page: Page, name: string) =>
  page
    .locator('#meters > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}(,|$)`) }) })
    .locator('dd')
    .allTextContents()

const numberIn = (text: string) => Number(text.replaceAll(',', ''))

test('on two lanes figures and charts move, a pause stops them, and the speed is that of the slider', async () => {
  const { page, complaints, url } = await open(2)
  await page.goto(url)
  await reached(page, 'playing')
  await setSpeed(page, DAY)
  await expect.poll(() => page.locator('#origins tbody tr:not(.blank)').count(), { timeout: 20_000 }).toBe(14)
  await expect.poll(async () => numberIn((await figure(page, 'Late'))[0])).toBeGreaterThan(0)
  const lineBefore = await page.locator('.mean').getAttribute('d')
  await expect.poll(() => page.locator('.mean').getAttribute('d')).not.toBe(lineBefore)
  // Of what has come since the picture before: there may have been nothing.
  await expect
    .poll(async () => (await figure(page, 'Latency')).join())
    .toMatch(/^[\d.]+ m?s p50,[\d.]+ m?s p99, from push to shown$/)

  await page.getByRole('button', { name: 'Pause' }).click()
  await reached(page, 'paused')
  expect(await page.getByRole('status').textContent()).toContain('Paused at')
  // What has been pushed before is still answered.
  await page.waitForTimeout(300)
  const paused = await page.locator('main').innerText()
  await page.waitForTimeout(700)
  expect(await page.locator('main').innerText()).toBe(paused)
  // The library's watermark, and the latest time that the page has seen.
  expect((await figure(page, 'Watermark'))[1]).toMatch(/^2 h 00 min behind/)

  const hoursIn = async (ms: number) => {
    const momentOf = async () => Date.parse(`${(await page.locator('#clock').textContent())?.replace(',', '')} UTC`)
    const [from, began] = [await momentOf(), performance.now()]
    await page.waitForTimeout(ms)
    return (((await momentOf()) - from) / 3_600_000 / (performance.now() - began)) * 1000
  }
  await setSpeed(page, HOUR)
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await reached(page, 'playing')
  const slow = await hoursIn(3000)
  expect(slow).toBeGreaterThan(0.3)
  expect(slow).toBeLessThan(1.7)
  await setSpeed(page, DAY)
  expect(await page.getByRole('slider', { name: 'Speed' }).getAttribute('aria-valuetext')).toBe('a day a second')
  const fast = await hoursIn(3000)
  expect(fast).toBeGreaterThan(5 * slow)
  expect(fast).toBeLessThan(30)
  expect(complaints).toEqual([])
  await page.context().close()
})

test.each([0, 2])(
  'on %i lanes, as fast as it goes, all reports are played, the same are late, and no worker is left',
  async lanes => {
    const { page, complaints, url } = await open(lanes)
    await page.goto(url)
    await reached(page, 'playing')
    expect(page.workers().length).toBe(lanes)
    await setSpeed(page, FULL)
    await reached(page, 'ended')
    expect(await played(page)).toBe(3_000_000)
    expect(await figure(page, 'Late')).toEqual([ALL_LATE.toLocaleString('en'), '1.4 % of all'])
    // The last hours close because there is no more, and the last is that of the first of July.
    await expect.poll(() => page.locator('#origins-reading').textContent()).toContain('Sun 1 Jul 2001, 01:00')
    await expect.poll(() => page.workers().length).toBe(0)
    expect(complaints).toEqual([])
    await page.context().close()
  },
)

test('stopping and leaving end the workers, and it can be played again', async () => {
  const { page, complaints, url } = await open(2)
  await page.goto(url)
  await reached(page, 'playing')
  await setSpeed(page, FULL)
  await expect.poll(() => played(page)).toBeGreaterThan(10_000)
  await page.getByRole('button', { name: 'Stop' }).click()
  await reached(page, 'stopped')
  await expect.poll(() => page.workers().length).toBe(0)
  const before = await played(page)
  await page.waitForTimeout(300)
  expect(await played(page)).toBe(before)
  await page.getByRole('button', { name: 'Play again' }).click()
  await reached(page, 'playing')
  expect(page.workers().length).toBe(2)
  // Lanes chosen while it plays: the replay begins anew on them.
  await page.locator('#lanes input[value="1"]').check({ force: true })
  await expect.poll(() => page.url()).toContain('lanes=1')
  await reached(page, 'playing')
  await expect.poll(() => page.workers().length).toBe(1)
  // As a browser that keeps the page leaves it.
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })))
  await expect.poll(() => page.workers().length).toBe(0)
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
  await reached(page, 'playing')
  await expect.poll(() => page.workers().length).toBe(1)
  await page.getByRole('link', { name: 'All at once' }).click()
  await page.waitForSelector('body[data-state=ready]', { timeout: 50_000 })
  await page.getByRole('link', { name: 'Live' }).click()
  await reached(page, 'playing')
  expect(complaints).toEqual([])
  await page.context().close()
})

// What holds up the page by itself does so each time; what else the machine is busy with does not.
test.each([0, 2])(
  'on %i lanes no task holds up the page for 50 ms, slow and as fast as it goes',
  { retry: 2 },
  async lanes => {
    const { page, url } = await open(lanes)
    await browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing', '__metadata'] })
    await page.goto(url)
    await reached(page, 'playing')
    await page.waitForTimeout(1000)
    // By few words: what Playwright does in the page to fill a field takes half of the time that a task may.
    await page.evaluate(place => {
      const slider = document.getElementById('speed') as HTMLInputElement
      slider.value = String(place)
      slider.dispatchEvent(new Event('input'))
    }, FULL)
    await page.waitForTimeout(3000)
    const trace = await browser.stopTracing()
    expect(longestTaskMs(trace, 'demo:reading')).toBeLessThan(longTaskMs)
    await page.context().close()
  },
)

test('who wants little motion starts it, and gets a picture a second', async () => {
  const { page, complaints, url } = await open(0, { reducedMotion: 'reduce' })
  await page.goto(url)
  await reached(page, 'paused')
  await setSpeed(page, DAY)
  await page.getByRole('button', { name: 'Play' }).click()
  await reached(page, 'playing')
  await expect.poll(() => played(page), { timeout: 10_000 }).toBeGreaterThan(0)
  const changes = await page.evaluate(
    () =>
      new Promise<number>(resolve => {
        let changes = 0
        new MutationObserver(() => changes++).observe(document.getElementById('clock') as HTMLElement, {
          childList: true,
        })
        setTimeout(() => resolve(changes), 3000)
      }),
  )
  expect(changes).toBeGreaterThan(0)
  expect(changes).toBeLessThanOrEqual(3)
  expect(complaints).toEqual([])
  await page.context().close()
})

test('on a phone nothing is wider than the screen', async () => {
  const { page, complaints, url } = await open(2, {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  })
  await page.goto(url)
  await reached(page, 'playing')
  await setSpeed(page, DAY)
  await expect.poll(() => page.locator('#origins tbody tr:not(.blank)').count(), { timeout: 20_000 }).toBe(14)
  const widths = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth])
  expect(widths).toEqual([390, 390])
  const cut = await page
    .locator('h1, h2, button, #speed-text, input[type=range], #meters dd, td, .key, .title p')
    .evaluateAll(elements => elements.filter(element => element.getBoundingClientRect().right > 390).length)
  expect(cut).toBe(0)
  expect(complaints).toEqual([])
  await page.context().close()
})

test('a file that cannot be read is said on the page', async () => {
  const { page, url } = await open(0)
  await page.route('**/*.parquet', route => route.fulfill({ status: 404 }))
  await page.goto(url)
  await reached(page, 'failed')
  expect(await page.getByRole('alert').textContent()).toContain('404')
  await page.context().close()
})
