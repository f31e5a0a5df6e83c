import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Opened, authenticators, launch, open } from '../browser/harness.ts'
import { withOwnPages } from './own-pages.ts'
import { dialog, enterWithPasskey } from './people.ts'
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

test('Bob makes a passkey, both let it in, and he logs in and freezes with it', async () => {
  const port = await stage.port()
  opened = await open(browser, await stage.console('bob', port), { before: withOwnPages })
  const { page } = opened
  await (await authenticators(page))()
  await enterWithPasskey(stage, page, port)

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
