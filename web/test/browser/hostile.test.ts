import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { hostileNames } from '../../mock/hostile.ts'
import { launch, open, settled } from './harness.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** Code points that would act instead of being seen. */
const acting = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

test('names of hostile endpoints are shown and do nothing, in the list and on their own pages', async () => {
  const { context, page, complaints } = await open(browser, `${inject('origin')}/fleet?mock-size=${hostileNames.length}`)
  await settled(page)
  const grid = page.getByRole('grid', { name: 'Endpoints' })
  await grid.getByRole('row').nth(hostileNames.length).waitFor()
  const cells = await grid.locator('bdi').allInnerTexts()
  expect(cells.length).toBeGreaterThanOrEqual(hostileNames.length)
  for (const text of cells) expect(text).not.toMatch(acting)
  // Titles too: they are what hovering shows.
  const titles = await page.evaluate<string[]>('[...document.querySelectorAll("[title]")].map((one) => one.title)')
  for (const title of titles) expect(title).not.toMatch(acting)
  expect(await grid.locator('img, script').count()).toBe(0)
  // A name that turns text round stays within its own cell.
  expect(await grid.locator('bdi').evaluateAll((all) => all.every((one) => getComputedStyle(one).unicodeBidi.includes('isolate')))).toBe(true)

  const links = await grid.getByRole('link').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href))
  expect(links).toHaveLength(hostileNames.length)
  for (const link of links) {
    await page.goto(`${link}?mock-size=${hostileNames.length}&tab=inventory`)
    await settled(page)
    const body = await page.locator('main').innerText()
    expect(body.replaceAll(/[\n\t]/g, '')).not.toMatch(acting)
    expect(await page.locator('main img, main script').count()).toBe(0)
  }
  expect(complaints).toEqual([])
  await context.close()
})
