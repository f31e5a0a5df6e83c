import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'

import { type Opened, launch, open, patient, seriousViolations, settled } from './harness.ts'

let browser: Browser
let opened: Opened
let page: Page
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
beforeEach(async () => {
  opened = await open(browser, `${inject('origin')}/fleet`)
  page = opened.page
  await settled(page)
  await page.getByRole('grid', { name: 'Endpoints' }).waitFor()
})
afterEach(async () => {
  expect(opened.complaints).toEqual([])
  await opened.context.close()
})

const dialog = () => page.getByRole('dialog')
const heads = () => page.getByRole('columnheader').allInnerTexts()

test('by the keyboard: columns are chosen and ordered, the view is saved, and the sidebar and the palette open it', async () => {
  await page.keyboard.press('c')
  await dialog().getByRole('heading', { name: 'Columns' }).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await dialog().getByRole('checkbox', { name: 'Site' }).focus()
  await page.keyboard.press('Space')
  await dialog().getByRole('button', { name: 'Last heard before' }).focus()
  for (let at = 0; at < 3; at += 1) await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
  expect(await heads()).toEqual(['Selection', 'Name ↑', 'State', 'Last heard', 'Tenant', 'System', 'Id'])
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: 'Away' }).press('Enter')
  await page.keyboard.press('v')
  await dialog().getByLabel('Name').fill('My view')
  expect(await seriousViolations(page)).toEqual([])
  await page.keyboard.press('Enter')
  await dialog().waitFor({ state: 'detached' })
  const link = page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: 'My view' })
  await link.waitFor()
  expect(await link.getAttribute('aria-current')).toBe('page')
  // Another one, and back by the palette.
  await page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: 'Domain controllers' }).press('Enter')
  await expect.poll(() => page.getByLabel('Search endpoints').inputValue(), patient).toBe('dc-')
  await page.keyboard.press('Control+k')
  await page.keyboard.type('my view')
  await page.keyboard.press('Enter')
  await page.getByText('My view').first().waitFor()
  await expect.poll(() => page.getByLabel('Search endpoints').inputValue(), patient).toBe('')
  await expect.poll(async () => (await heads()).slice(1, 4), patient).toEqual(['Name ↑', 'State', 'Last heard'])
  await page.getByRole('columnheader').getByRole('button', { name: 'Name' }).press('Enter')
  await page.getByText('(changed)').waitFor()
  // It is forgotten, and the list stays.
  await page.keyboard.press('v')
  await dialog().getByRole('button', { name: 'Forget My view' }).press('Enter')
  await dialog().getByRole('button', { name: 'Forget My view' }).waitFor({ state: 'detached' })
  await page.keyboard.press('Escape')
  await page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: 'My view' }).waitFor({ state: 'detached' })
})

test('all rows of what is shown are saved as CSV, not only those on the screen', async () => {
  await page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: 'Away at acme' }).click()
  const shown = await page.getByText(/^\d+ endpoints$/).innerText()
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('e')])
  expect(file.suggestedFilename()).toBe('Away_at_acme.csv')
  const text = await readFile(await file.path(), 'utf8')
  expect(text.startsWith('name,last_heard,site,system\r\n')).toBe(true)
  expect(`${text.split('\r\n').length - 2} endpoints`).toBe(shown)
  await page.getByText(`Saved ${shown.replace('endpoints', 'rows')}`).waitFor()
})

test('a selection says its class before anybody acts, and why it cannot be acted on', async () => {
  const selection = page.getByRole('region', { name: 'Selection' })
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: 'Connected' }).click()
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.keyboard.press('x')
  await selection.getByText('routine').waitFor()
  await selection.getByText('you alone sign it').waitFor()
  await page.goto(`${inject('origin')}/fleet?tenant=acme&state=connected`)
  await settled(page)
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.keyboard.press('x')
  for (let at = 0; at < 10; at += 1) await page.keyboard.press('Shift+ArrowDown')
  await selection.getByText('11 chosen').waitFor()
  await selection.getByText('change').waitFor()
  await selection.getByText(/1 more person/).waitFor()
  await page.goto(`${inject('origin')}/fleet?state=connected`)
  await settled(page)
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.keyboard.press('x')
  for (let at = 0; at < 12; at += 1) await page.keyboard.press('Shift+ArrowDown')
  await selection.getByText(/belong to \d tenants/).waitFor()
  expect(await selection.getByRole('button', { name: 'Run a script' }).getAttribute('aria-disabled')).toBe('true')
})
