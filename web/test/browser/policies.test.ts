import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'

import { hostileNames } from '../../mock/hostile.ts'
import { type Opened, launch, open, seriousViolations, settled } from './harness.ts'

let browser: Browser
let opened: Opened
let page: Page
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
beforeEach(async () => {
  opened = await open(browser, inject('origin'))
  page = opened.page
  await settled(page)
})
afterEach(async () => {
  expect(opened.complaints).toEqual([])
  await opened.context.close()
})

const acting = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

test('a policy is written with the verdict beside it, signed, replaced by a next version, and taken back', async () => {
  for (const key of 'gp') await page.keyboard.press(key)
  await page.getByRole('heading', { level: 1, name: 'Checks and policies' }).waitFor()
  await page.keyboard.press('n')
  const words = page.getByLabel('The policy in words')
  await words.getByText(/every endpoint of the organisation/).waitFor()
  await page.getByLabel('Tenant').fill('birch')
  await words.getByText(/where\s+tenant birch/).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  // What is no policy cannot be signed, and says why.
  const editor = page.getByRole('textbox', { name: 'Text of the policy' })
  await editor.fill('name = "office"\ntitle = "Office"\n[[check]]\nkind = "magic"\n')
  await page.getByRole('alert').getByText(/unknown variant `?magic/).waitFor()
  expect(await page.getByRole('button', { name: /^Sign/ }).getAttribute('aria-disabled')).toBe('true')
  await editor.fill('name = "office"\ntitle = "<b>Office</b>"\n[[check]]\nid = "disk"\nkind = "disk"\n')
  await words.getByText(/office version 1: <b>Office<\/b>/).waitFor()
  await page.keyboard.press('Control+Enter')
  const sheet = page.getByRole('dialog')
  await sheet.getByText(/It reads, and starts or changes nothing/).first().waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await sheet.getByRole('button', { name: /^Sign/ }).click()
  await sheet.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { level: 1, name: 'office' }).waitFor()
  await page.getByRole('link', { name: 'Write the next version' }).click()
  await words.getByText(/office version 2/).waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Take back' }).click()
  await sheet.getByRole('button', { name: /^Take back/ }).click()
  await sheet.getByRole('button', { name: 'Done' }).click()
  await page.getByText('withdrawn').first().waitFor()
})

test('a policy that waits is countersigned', async () => {
  for (const key of 'gp') await page.keyboard.press(key)
  await page.getByRole('link', { name: 'backup', exact: true }).click()
  await page.getByText('waits for signatures').waitFor()
  await page.getByRole('button', { name: 'Countersign' }).click()
  const sheet = page.getByRole('dialog')
  const compared = sheet.getByRole('checkbox')
  if (await compared.isVisible()) await compared.check()
  await sheet.getByRole('button', { name: /^(Sign|Approve|Countersign)/ }).click()
  await sheet.getByRole('button', { name: 'Done' }).click()
  await page.locator('header').getByText('verified', { exact: true }).waitFor()
})

test('an endpoint says why each check runs there, and hostile results do nothing', async () => {
  await page.goto(`${inject('origin')}/fleet?mock-size=${hostileNames.length}`)
  await settled(page)
  const links = await page.getByRole('grid').getByRole('link').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).pathname))
  expect(links).toHaveLength(hostileNames.length)
  let shown = 0
  for (const link of links) {
    await page.goto(`${inject('origin')}${link}?mock-size=${hostileNames.length}&tab=checks`)
    await settled(page)
    const main = page.locator('main')
    const body = await main.innerText()
    expect(body.replaceAll(/[\n\t]/g, ''), link).not.toMatch(acting)
    expect(await page.locator('main img, main script').count()).toBe(0)
    if (body.includes('because of')) shown += 1
    else await main.getByText('It looks at nothing').waitFor()
  }
  expect(shown).toBeGreaterThan(8)
  await page.getByText('What it looks at, and why').waitFor()
  expect(await seriousViolations(page)).toEqual([])
})
