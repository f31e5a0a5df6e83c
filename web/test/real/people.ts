import type { Page } from 'playwright-core'

import type { Stage } from './stage.ts'

export const dialog = (page: Page) => page.getByRole('dialog')

/** Signs what the sheet shows; what the page then says. */
export async function sign(page: Page, verb: string): Promise<string> {
  const sheet = dialog(page)
  await sheet.getByRole('list', { name: 'Words of the digest' }).waitFor()
  const compared = sheet.getByRole('checkbox')
  if (await compared.isVisible()) await compared.check()
  await sheet.getByRole('button', { name: verb, exact: true }).click()
  await sheet.getByRole('button', { name: 'Done' }).waitFor()
  const said = await sheet.innerText()
  await sheet.getByRole('button', { name: 'Done' }).click()
  return said
}

/** Bob makes a passkey on his page, both let it in, and his console starts again with it; the page ends up logged in. */
export async function enterWithPasskey(stage: Stage, page: Page, port: number): Promise<void> {
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
  await sign(page, 'Log in')
  await page.getByRole('button', { name: /Live, verified/ }).first().waitFor({ timeout: 60_000 })
}
