import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Opened, authenticators, launch, open } from '../browser/harness.ts'
import { withOwnPages } from './own-pages.ts'
import { Stage } from './stage.ts'

// Chromium's virtual authenticator stands for the device; everything else is real.
const stage = new Stage()
let browser: Browser
let opened: Opened

beforeAll(async () => {
  await stage.organisation()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await stage.end()
})

const dialog = (page: Page) => page.getByRole('dialog')

test('Bob makes a passkey, both let it in, and he logs in and freezes with it', async () => {
  const port = await stage.port()
  opened = await open(browser, await stage.console('bob', port), { before: withOwnPages })
  const { page } = opened
  await (await authenticators(page))()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press(',')
  await page.getByRole('button', { name: 'Make a passkey' }).click()
  await dialog(page).getByRole('button', { name: 'Make it' }).click()
  const list = dialog(page).getByRole('list', { name: 'Words of the digest' })
  await list.waitFor()
  const words = (await list.getByRole('listitem').locator('span:last-child').allInnerTexts()).join(' ')
  const [download] = await Promise.all([page.waitForEvent('download'), dialog(page).getByRole('button', { name: 'bob.card.json' }).click()])
  await download.saveAs(stage.path('bob.passkey.card'))
  await dialog(page).getByRole('button', { name: 'Done' }).click()

  const { statement } = stage.json('alice', ['operator', 'key', 'add', 'bob.passkey.card', '--words', words])
  stage.json('bob', ['approve', String(statement), '--no-wait'])

  // The same port, since a passkey belongs to its origin.
  await stage.stop('console-bob')
  const link = await stage.console('bob', port, ['--key', 'passkey'])
  await page.goto('about:blank')
  await page.goto(link)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
  await dialog(page).getByRole('list', { name: 'Words of the digest' }).waitFor()
  await dialog(page).getByRole('button', { name: 'Log in', exact: true }).click()
  await dialog(page).getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: /Live, verified/ }).first().waitFor({ timeout: 60_000 })

  await page.keyboard.press('!')
  await dialog(page).getByLabel('Why').fill('with a passkey')
  await dialog(page).getByRole('button', { name: 'Show the freeze' }).click()
  await dialog(page).getByText(/a passkey/).first().waitFor()
  await dialog(page).getByRole('button', { name: 'Freeze', exact: true }).click()
  await dialog(page).getByRole('button', { name: 'Done' }).click()
  await page.getByRole('region', { name: 'What stands still' }).waitFor({ timeout: 60_000 })
  // Before the login the process refuses what needs the server, and the browser says so; and it would like RSA, which no
  // bundle can name.
  const expected = /^Failed to load resource|pubKeyCredParams is missing .* RS256/
  expect(opened.complaints.filter((text) => !expected.test(text))).toEqual([])
})
