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
const grid = () => page.getByRole('grid', { name: 'Alerts' })
const go = async (keys: string, heading: string) => {
  for (const key of keys) await page.keyboard.press(key)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
}

test('alerts are filtered, chosen and acknowledged by the keyboard alone, and the navigation counts', async () => {
  const link = page.getByRole('link', { name: /Alerts \d+ open/ })
  const before = Number(/\d+/.exec(await link.innerText())?.[0])
  await go('ge', 'Alerts')
  await page.keyboard.press('/')
  await page.keyboard.type('in its cgroup')
  await page.waitForURL(/q=in(%20|\+)its/)
  await page.getByText(/^8 alerts$/).waitFor()
  await grid().focus()
  await page.keyboard.press('x')
  await page.keyboard.press('Shift+ArrowDown')
  await page.getByRole('region', { name: 'Selection' }).getByText('2 chosen').waitFor()
  await page.keyboard.press('a')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Acknowledge: 2 alerts' }).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await page.keyboard.type('I look at it')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Selection' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: `Alerts ${before - 2} open` }).waitFor()
  await grid().getByText('by Bob Example').nth(1).waitFor()
  // What is over stays where it can be found.
  await grid().focus()
  await page.keyboard.press('x')
  await page.keyboard.press('e')
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await page.getByText(/^7 alerts$/).waitFor()
  await page.getByRole('button', { name: 'Resolved', exact: true }).click()
  await page.waitForURL(/state=resolved/)
})

test('one alert says why it is told, and keeps a note', async () => {
  await page.goto(`${inject('origin')}/alerts?q=reboot`)
  await settled(page)
  await grid().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'reboot' }).waitFor()
  await page.getByText('no maintenance window is open for it').waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await page.keyboard.press('n')
  await page.getByRole('dialog').getByLabel('Note').fill('<b>asked the customer</b>')
  await page.getByRole('button', { name: 'Keep the note' }).click()
  await page.getByRole('region', { name: 'History of this alert' }).getByText('<b>asked the customer</b>').waitFor()
})

test('endpoints that are away are waited for over a channel', async () => {
  await page.goto(`${inject('origin')}/alerts?q=not%20connected`)
  await settled(page)
  await grid().getByRole('row').nth(2).waitFor()
  await page.getByRole('checkbox', { name: /Choose the alert link/ }).first().click()
  await page.getByRole('button', { name: /Choose all/ }).click()
  await page.getByText('24 chosen').waitFor()
  await page.getByRole('button', { name: 'Tell me when back' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/each of 24 endpoints/).waitFor()
  await dialog.getByLabel('Channel').selectOption('office')
  await dialog.getByRole('button', { name: 'Tell me' }).click()
  await dialog.waitFor({ state: 'detached' })
})

test('a maintenance window is made and ended', async () => {
  await page.goto(`${inject('origin')}/alerts/rules`)
  await settled(page)
  const table = page.getByRole('region', { name: 'Maintenance windows' })
  await table.getByText('open now').waitFor()
  await page.keyboard.press('n')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('new switch')
  await dialog.getByLabel('When').selectOption('again')
  await dialog.getByLabel('Begins at').fill('0 22 * *')
  await dialog.getByRole('button', { name: 'Make the window' }).hover()
  await page.getByText('Five parts: minute, hour, day, month, weekday.').waitFor()
  await dialog.getByLabel('Begins at').fill('0 22 * * 5')
  await dialog.getByLabel('Time zone').fill('Europe/Berlin')
  await dialog.getByLabel('Tenant').fill('acme')
  expect(await seriousViolations(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Make the window' }).click()
  const row = table.getByRole('row').filter({ hasText: 'new switch' })
  await row.getByText('at 0 22 * * 5 in Europe/Berlin, 120 minutes').waitFor()
  await row.getByRole('button', { name: 'End' }).click()
  await dialog.getByRole('button', { name: 'End the window' }).click()
  await row.waitFor({ state: 'detached' })
})

test('what hostile endpoints write into their alerts is shown and does nothing', async () => {
  await page.goto(`${inject('origin')}/alerts?mock-size=${hostileNames.length}`)
  await settled(page)
  await grid().getByRole('row').nth(hostileNames.length).waitFor()
  const links = await grid().getByRole('link').evaluateAll((all) => [...new Set(all.map((one) => (one as HTMLAnchorElement).pathname).filter((path) => path.startsWith('/alerts/')))])
  expect(links.length).toBeGreaterThanOrEqual(hostileNames.length)
  for (const link of ['/alerts', '/alerts/rules', ...links]) {
    await page.goto(`${inject('origin')}${link}?mock-size=${hostileNames.length}`)
    await settled(page)
    const body = await page.locator('main').innerText()
    expect(body.replaceAll(/[\n\t]/g, ''), link).not.toMatch(acting)
    expect(await page.locator('main img, main script').count()).toBe(0)
    const titles = await page.evaluate<string[]>('[...document.querySelectorAll("[title]")].map((one) => one.title)')
    for (const title of titles) expect(title).not.toMatch(acting)
  }
})
