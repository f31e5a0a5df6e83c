import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { launch, open, seriousViolations, settled } from './harness.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

const acting = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

test.each([['light', 1440], ['dark', 1440], ['light', 320]] as const)('metrics in the %s theme, %i pixels wide', async (theme, width) => {
  const { context, page, complaints } = await open(browser, `${inject('origin')}/fleet?q=web-`, { theme, width })
  await settled(page)
  await page.getByRole('grid').getByRole('link').first().click()
  await page.getByRole('link', { name: 'metrics' }).click()
  const cpu = page.getByRole('region', { name: 'Processors, busy in numbers' })
  await cpu.getByText('user').waitFor()
  await page.locator('canvas').nth(6).waitFor()
  expect(await page.locator('canvas').count()).toBe(7)
  // Something is drawn, and there is a gap in it.
  const columns = await page.locator('canvas').first().evaluate((canvas: HTMLCanvasElement) => {
    const { width: w, height: h } = canvas
    const data = canvas.getContext('2d')?.getImageData(0, 0, w, h).data ?? new Uint8ClampedArray()
    return Array.from({ length: w }, (_, x) => Array.from({ length: h }, (__, y) => data[(y * w + x) * 4 + 3] ?? 0).filter((alpha) => alpha > 0).length)
  })
  expect(Math.max(...columns)).toBeGreaterThan(2)
  expect(await seriousViolations(page)).toEqual([])
  const [inner, scroll] = await page.evaluate<[number, number]>('[innerWidth, Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll("[data-scroll]")].map((box) => box.scrollWidth))]')
  expect(scroll).toBeLessThanOrEqual(inner)
  // Range by the keyboard, and the same in a table.
  await page.getByRole('navigation', { name: 'Range' }).getByRole('link', { name: '7d' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/range=7d/)
  await page.getByText(/The last 7 days/).waitFor()
  await page.getByRole('button', { name: 'As a table' }).first().focus()
  await page.keyboard.press('Enter')
  const table = page.getByRole('region', { name: 'Processors, busy as a table' })
  await table.getByRole('columnheader', { name: 'iowait' }).waitFor()
  await table.getByText('none').first().waitFor()
  for (const button of await page.getByRole('button', { name: 'As a table' }).all()) await button.click({ timeout: 2_000 }).catch(() => undefined)
  expect((await page.locator('main').innerText()).replaceAll(/[\n\t]/g, '')).not.toMatch(acting)
  expect(await page.locator('main img, main script').count()).toBe(0)
  await page.getByText(/threw 12 samples or results away/).waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('an endpoint that measured nothing says why', async () => {
  const { context, page, complaints } = await open(browser, `${inject('origin')}/fleet?state=quarantined`)
  await settled(page)
  await page.getByRole('grid').getByRole('link').first().click()
  await page.getByRole('link', { name: 'metrics' }).click()
  await page.getByText('Nothing was measured in the last hour').waitFor()
  expect(await seriousViolations(page)).toEqual([])
  expect(complaints).toEqual([])
  await context.close()
})
