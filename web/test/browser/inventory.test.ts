import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { hostileNames } from '../../mock/hostile.ts'
import { launch, open, seriousViolations, settled } from './harness.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

const acting = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

test('the whole fleet is searched by the keyboard, and says of how many too little is known', async () => {
  const { context, page, complaints } = await open(browser, inject('origin'))
  await settled(page)
  for (const key of 'gi') await page.keyboard.press(key)
  await page.getByRole('heading', { level: 1, name: 'Inventory' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('debian')
  await page.keyboard.press('Enter')
  await page.waitForURL(/q=debian/)
  const table = page.getByRole('region', { name: 'Endpoints that fit' })
  await table.getByRole('link').first().waitFor()
  await page.getByText(/Of 3 endpoints too little is known/).waitFor()
  await page.getByRole('button', { name: 'On', exact: true }).click()
  await page.waitForURL(/offset=100/)
  expect(await seriousViolations(page)).toEqual([])
  await page.goBack()
  await page.goBack()
  await page.getByRole('link', { name: 'package:openssl<3.0.14' }).click()
  await page.getByText('No endpoint fits').waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('hostile endpoints that fit are shown and do nothing', async () => {
  const { context, page, complaints } = await open(browser, `${inject('origin')}/inventory?q=l&mock-size=${hostileNames.length}`)
  await settled(page)
  await page.getByRole('region', { name: 'Endpoints that fit' }).getByRole('link').nth(3).waitFor()
  expect((await page.locator('main').innerText()).replaceAll(/[\n\t]/g, '')).not.toMatch(acting)
  expect(await page.locator('main img, main script').count()).toBe(0)
  expect(complaints).toEqual([])
  await context.close()
})
