import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'

import { type Opened, type Theme, everyCombination, launch, open, seriousViolations, settled } from './harness.ts'
import { pages } from './pages.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** One page for all tests of a group: going from address to address is what makes the difference, not the window. */
function onePage(settings: { theme?: Theme; width?: number; height?: number }): () => Opened {
  let opened: Opened | undefined
  beforeAll(async () => {
    opened = await open(browser, 'about:blank', settings)
  })
  beforeEach(() => opened?.complaints.splice(0))
  afterAll(() => opened?.context.close())
  return () => {
    if (!opened) throw new Error('no page is open')
    return opened
  }
}

// Under the policy of the product: a page that breaks it complains, and a complaint fails here.
describe.each(['light', 'dark'] satisfies Theme[])('in the %s theme', (theme) => {
  const opened = onePage({ theme })

  test.each(pages)('$name: axe finds nothing serious, and the browser has no complaint', async ({ path, heading }) => {
    const { page, complaints } = opened()
    await page.goto(inject('origin') + path)
    await settled(page)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})

describe.each((everyCombination ? ['light', 'dark'] : ['light']) satisfies Theme[])('320 pixels wide in the %s theme', (theme) => {
  const opened = onePage({ theme, width: 320, height: 640 })

  test.each(pages)('$name does not scroll sideways, axe finds nothing serious, and Freeze is there', async ({ path, outside }) => {
    const { page, complaints } = opened()
    await page.goto(inject('origin') + path)
    await settled(page)
    const [inner, scroll] = await page.evaluate<[number, number]>('[innerWidth, Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll("[data-scroll]")].map((box) => box.scrollWidth))]')
    expect(scroll).toBeLessThanOrEqual(inner)
    if (!outside) await page.getByRole('button', { name: 'Freeze' }).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})

describe('outside of an organisation', () => {
  const opened = onePage({})

  test.each(pages.filter((page) => page.path.includes('mock-story=new')))('$name asks for nothing that only an organisation has', async ({ path, heading }) => {
    const { page } = opened()
    await page.goto(inject('origin') + path)
    await settled(page)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    const asked = await page.evaluate<string[]>("performance.getEntriesByType('mark').map((mark) => mark.name)")
    expect(asked).toContain('GET /api/v1/me')
    expect(asked.filter((one) => !/ \/api\/v1\/(session|me|founding|passkeys|events)/.test(one))).toEqual([])
  })
})
