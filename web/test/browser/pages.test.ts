import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { type Theme, launch, open, seriousViolations, settled } from './harness.ts'
import { pages } from './pages.ts'

// Under the policy of the product: a page that breaks it complains, and a complaint fails here.
describe.each(['light', 'dark'] satisfies Theme[])('in the %s theme', (theme) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  test.each(pages)('$name: axe finds nothing serious, and the browser has no complaint', async ({ path, heading }) => {
    const { context, page, complaints } = await open(browser, inject('origin') + path, { theme })
    await settled(page)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
    await context.close()
  })
})

describe('320 pixels wide', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  test.each(pages)('$name does not scroll sideways, and Freeze is there', async ({ path, name }) => {
    const { context, page, complaints } = await open(browser, inject('origin') + path, { width: 320, height: 640 })
    await settled(page)
    const [inner, scroll] = await page.evaluate<[number, number]>('[innerWidth, Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll("[data-scroll]")].map((box) => box.scrollWidth))]')
    expect(scroll).toBeLessThanOrEqual(inner)
    if (name !== 'session-ended') await page.getByRole('button', { name: 'Freeze' }).first().waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })
})
