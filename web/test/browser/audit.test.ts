import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'

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

test('who did what is filtered, saved as a file, and each row leads to its proof', async () => {
  await page.keyboard.press('g')
  await page.keyboard.press('u')
  await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor()
  const table = page.getByRole('region', { name: 'What was done' })
  await table.getByText('wrote a job').first().waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await page.getByLabel('Kind').selectOption('freeze')
  await page.getByText('1 row', { exact: true }).waitFor()
  await table.getByText('monthly drill').waitFor()
  const [csv] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('e')])
  expect(csv.suggestedFilename()).toBe('audit.csv')
  expect((await readFile(await csv.path(), 'utf8')).split('\r\n')).toHaveLength(3)
  const [json] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'JSON' }).press('Enter')])
  expect(JSON.parse(await readFile(await json.path(), 'utf8'))).toHaveLength(1)
  await page.getByLabel('Kind').selectOption('')
  await page.getByLabel('Person').selectOption({ label: 'Alice Example' })
  await page.getByLabel('Tenant').selectOption('acme')
  await table.getByText('acme').first().waitFor()
  await page.getByLabel('From').fill('2020-01-01')
  await page.getByLabel('To, with that day').fill('2020-01-02')
  await page.getByText('Nobody did such a thing').waitFor()
  await page.getByRole('button', { name: 'Show everything' }).click()
  await page.getByLabel('Kind').selectOption('freeze')
  await table.getByRole('link', { name: /^control \d+$/ }).click()
  await page.getByRole('dialog').getByText(/ssh-keygen -Y verify/).waitFor()
})
