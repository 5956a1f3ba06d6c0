// The demo as it is built, on a page: its numbers against a count in Node, its brush, its main thread, a phone, and a file that is not there.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureBrowser } from '../../scripts/browser.mjs'
import { allFlights, type Expected, type ExpectedAnswers, oneHourLate } from './expected.js'
import { longestTaskMs } from './main-thread.js'
import { buildDemo, serveSite } from './site.mjs'

/** Of processor time; a machine much slower than a phone of today may need more. */
const longTaskMs = Number(process.env.MILLRACE_LONG_TASK_MS ?? 50)

let folder: string
let site: Awaited<ReturnType<typeof serveSite>>
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  await buildDemo(folder)
  site = await serveSite(folder)
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: ['--no-sandbox'] })
}, 120_000)

afterAll(async () => {
  await browser?.close()
  site?.close()
  await rm(folder, { recursive: true, force: true })
})

interface Opened {
  readonly page: Page
  /** Whatever a visitor with the console open would see. */
  readonly complaints: string[]
}

async function open(options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => complaints.push(message.text()))
  return { page, complaints }
}

const ready = (page: Page) => page.waitForSelector('body[data-state=ready]', { timeout: 50_000 })

/** The texts of the cells of a table's rows. */
const rowsOf = (page: Page, id: string) =>
  page
    .locator(`#${id} tbody tr:not(.blank)`)
    .evaluateAll(rows => rows.map(row => Array.from((row as HTMLTableRowElement).cells, cell => cell.textContent)))

/** The same texts for what was counted; the name of an airport or a route is followed by its cities. */
function textsOf([name, flights, sum, worst]: Expected) {
  const mean = (sum / flights).toFixed(1).replace('-', '−')
  return [expect.stringMatching(`^${name}( |$)`), flights.toLocaleString('en'), mean, worst.toLocaleString('en')]
}

async function expectAnswers(page: Page, { total, origins, routes, hours }: ExpectedAnswers) {
  await expect.poll(() => page.locator('#headline').textContent()).toContain(`${total[0].toLocaleString('en')} flights`)
  await ready(page)
  expect(await page.locator('#headline').textContent()).toContain((total[1] / total[0]).toFixed(1))
  expect(await rowsOf(page, 'origins')).toEqual(origins.map(textsOf))
  expect(await rowsOf(page, 'routes')).toEqual(routes.map(textsOf))
  expect(await rowsOf(page, 'hours')).toEqual(hours.map(textsOf))
}

/** Moves the mouse to the middle of a bin of the histogram, of five minutes each from -60. */
async function moveToMinutes(page: Page, minutes: number, steps: number) {
  const { x, y, width, height } = (await page.locator('.brush').boundingBox())!
  await page.mouse.move(x + ((minutes + 60) / 5 / 49) * width, y + height / 4, { steps })
}

test('on two lanes its tables are what a count in Node gives, whether the brush is dragged, typed or preset', async () => {
  const { page, complaints } = await open()
  await page.goto(`${site.url}?lanes=2`)
  await ready(page)
  await expectAnswers(page, allFlights)
  await moveToMinutes(page, 62.5, 1)
  await page.mouse.down()
  // There and back: many questions are overtaken, and only the last may be seen.
  await moveToMinutes(page, 170, 12)
  await moveToMinutes(page, 117.5, 8)
  await page.mouse.up()
  await expectAnswers(page, oneHourLate)
  expect(await page.locator('#routes caption').textContent()).toContain('No route has 500 flights')
  // The same by keyboard.
  await page.getByRole('button', { name: 'All flights' }).click()
  await expectAnswers(page, allFlights)
  await page.getByRole('button', { name: '1+ hour' }).click()
  const least = page.getByRole('slider', { name: 'Least delay' })
  const greatest = page.getByRole('slider', { name: 'Greatest delay' })
  expect(await least.getAttribute('aria-valuetext')).toBe('60 minutes')
  expect(await greatest.getAttribute('aria-valuetext')).toBe('no bound')
  await greatest.press('PageDown')
  await greatest.press('PageDown')
  await greatest.press('ArrowLeft')
  expect(await greatest.getAttribute('aria-valuetext')).toBe('119 minutes')
  await expectAnswers(page, oneHourLate)
  await greatest.press('Escape')
  await expectAnswers(page, allFlights)
  expect(complaints).toEqual([])
  await page.context().close()
})

test.each([0, 1])('on %i lanes, chosen on the page, the tables are the same', async lanes => {
  const { page, complaints } = await open()
  await page.goto(`${site.url}?lanes=2`)
  // While it still reads: what it reads is abandoned.
  await page.locator(`#lanes input[value="${lanes}"]`).check({ force: true })
  await expect.poll(() => page.url()).toContain(`lanes=${lanes}`)
  await ready(page)
  await expectAnswers(page, allFlights)
  const meters = await page.locator('#meters').innerText()
  expect(meters).toMatch(new RegExp(`Lanes\\s+${lanes}\\s`))
  const [, core, reader, file] = /core (\d+) kB, Parquet (\d+) kB; file ([\d.]+) MB/.exec(meters)!.map(Number)
  expect(core).toBeGreaterThan(10)
  expect(reader).toBeGreaterThan(10)
  // The columns asked for, and not the fifth: 9.4 of 13.5 MB.
  expect(file).toBeGreaterThan(9)
  expect(file).toBeLessThan(10)
  expect(complaints).toEqual([])
  await page.context().close()
})

// What holds up the page by itself does so each time; what else the machine is busy with does not.
test.each([2, 0])(
  'on %i lanes no task holds up the page for 50 ms while it reads and answers',
  { retry: 2 },
  async lanes => {
    const { page } = await open()
    await browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing', '__metadata'] })
    await page.goto(`${site.url}?lanes=${lanes}`)
    await ready(page)
    await moveToMinutes(page, 60, 1)
    await page.mouse.down()
    await moveToMinutes(page, 170, 12)
    await page.mouse.up()
    await ready(page)
    const trace = await browser.stopTracing()
    expect(longestTaskMs(trace, 'demo:reading')).toBeLessThan(longTaskMs)
    await page.context().close()
  },
)

test('on a phone nothing is wider than the screen', async () => {
  const { page, complaints } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  await page.goto(site.url)
  await ready(page)
  // A mobile browser zooms out to fit what overflows, and then it is the window that is too wide.
  const widths = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth])
  expect(widths).toEqual([390, 390])
  const cut = await page
    .locator('#headline, h1, h2, #presets button, #meters dd, td')
    .evaluateAll(elements => elements.filter(element => element.getBoundingClientRect().right > 390).length)
  expect(cut).toBe(0)
  expect(complaints).toEqual([])
  await page.context().close()
})

test('a file that cannot be read is said on the page', async () => {
  const { page } = await open()
  await page.route('**/*.parquet', route => route.fulfill({ status: 404 }))
  await page.goto(site.url)
  await page.waitForSelector('body[data-state=failed]')
  expect(await page.getByRole('alert').textContent()).toContain('404')
  await page.context().close()
})
