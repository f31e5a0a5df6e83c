import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { scenes } from '../screenshots/scenes.ts'
import { type Theme, everyCombination, launch, open, seriousViolations, settled, wantsRsa } from './harness.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

/** Each dialog and state that a person can come to, as the pictures show them. */
function states(settings: { theme: Theme; width: number; height: number }) {
  const narrow = settings.width < 1000
  test.each(scenes.filter((scene) => (narrow ? scene.narrow : scene.narrow !== 'only')))('$name: axe finds nothing serious', async ({ path, go }) => {
    const { page, context, complaints } = await open(browser, inject('origin') + path, settings)
    await settled(page)
    await go(page)
    expect(await seriousViolations(page)).toEqual([])
    if (narrow) expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    expect(complaints.filter((complaint) => !wantsRsa.test(complaint))).toEqual([])
    await context.close()
  })
}

// Each theme and each width; all four together where there is time (`make test-long`).
describe('dark', () => states({ theme: 'dark', width: 1440, height: 900 }))
describe('320 pixels wide', () => states({ theme: 'light', width: 320, height: 720 }))
if (everyCombination) {
  describe('light', () => states({ theme: 'light', width: 1440, height: 900 }))
  describe('320 pixels wide, dark', () => states({ theme: 'dark', width: 320, height: 720 }))
}
