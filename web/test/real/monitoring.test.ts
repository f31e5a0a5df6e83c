import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Opened, launch, open } from '../browser/harness.ts'
import { withOwnPages } from './own-pages.ts'
import { sign } from './people.ts'
import { Stage } from './stage.ts'

// A policy that is written and signed in the browser, an endpoint that looks by it, and the alert of what it finds.
const patience = { timeout: 120_000 }
const stage = new Stage()
let browser: Browser
let alice: Opened
let watched: string

beforeAll(async () => {
  await stage.organisation()
  stage.endpoint('endpoint-1', stage.enrolment())
  await stage.until('the endpoint', () => stage.database("print(db.execute('select count(*) from endpoint').fetchone()[0])") === '1')
  watched = stage.path('<b>backup.done')
  browser = await launch()
  alice = await open(browser, await stage.console('alice'), { before: withOwnPages })
})
afterAll(async () => {
  await browser?.close()
  await stage.end()
})

/** Within the page, whose token does not survive a load. */
async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState({}, '', to)
    dispatchEvent(new PopStateEvent('popstate'))
  }, path)
  await page.locator('main h1').first().waitFor()
}

/** The editor's own keys empty it: the browser's would keep the colours of what was there as inline styles, which the policy forbids. */
async function write(editor: Locator, text: string): Promise<void> {
  await editor.press('Control+a')
  await editor.press('Delete')
  await editor.fill(text)
}

test('a policy from the browser runs on a real endpoint, its alert is acknowledged, and a window keeps others quiet', async () => {
  const { page, complaints } = alice
  await page.getByRole('button', { name: /Live, verified/ }).first().waitFor(patience)
  await visit(page, '/policies')
  await page.getByText('Nothing is looked at yet').waitFor()
  await page.getByRole('button', { name: 'Begin with the default checks' }).click()
  const words = page.getByLabel('The policy in words')
  await words.getByText(/room left/).waitFor()
  const editor = page.getByRole('textbox', { name: 'Text of the policy' })
  await write(editor, `name = "backup"\ntitle = "The backup"\n[[check]]\nid = "backup"\nkind = "file_exists"\npath = "${watched}"\nwanted = true\nevery = 5\n`)
  await page.getByRole('alert').getByText(/every_s/).waitFor()
  await write(editor, `name = "backup"\ntitle = "The backup"\n[[check]]\nid = "backup"\nkind = "file_exists"\npath = "${watched}"\nwanted = true\nevery = 10\nfails = 1\nrecovers = 1\n`)
  await page.getByLabel('Tenant').fill('acme')
  await words.getByText(/tenant acme/).waitFor()
  await page.getByRole('button', { name: /^Sign/ }).click()
  await sign(page, 'Sign')
  await page.getByRole('heading', { level: 1, name: 'backup' }).waitFor()
  await page.getByRole('region', { name: 'Where the policy stands' }).getByText('stands', { exact: true }).waitFor(patience)

  const { endpoint } = stage.status('endpoint-1')
  await visit(page, `/endpoints/${endpoint}?tab=checks`)
  await page.getByText(/policy backup version 1 for tenant acme/).waitFor()
  await page.getByText('error', { exact: true }).first().waitFor(patience)

  // The alert came by itself, and counts in the navigation.
  await page.getByRole('link', { name: /Alerts \d+ open/ }).click()
  const grid = page.getByRole('grid', { name: 'Alerts' })
  await grid.getByText('backup').first().waitFor(patience)
  await grid.focus()
  await page.keyboard.press('x')
  await page.keyboard.press('a')
  await page.getByRole('dialog').getByLabel('Note').fill('I look at it')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await grid.getByText('by Alice Example').waitFor(patience)
  await grid.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'History of this alert' }).getByText('I look at it').waitFor()
  await page.getByText('Why it is told, or not').waitFor()

  await visit(page, '/alerts/rules')
  await page.getByText('No maintenance window').waitFor()
  await page.getByRole('button', { name: 'Make a window' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('new disks')
  await page.getByRole('dialog').getByLabel('Tenant').fill('acme')
  await page.getByRole('dialog').getByRole('button', { name: 'Make the window' }).click()
  await page.getByRole('region', { name: 'Maintenance windows' }).getByText('open now').waitFor()

  // It is over when the file is there.
  stage.write('<b>backup.done', '')
  await visit(page, '/alerts?state=resolved')
  await grid.getByText('backup').first().waitFor(patience)
  expect(await page.locator('main b').count()).toBe(0)

  await visit(page, `/endpoints/${endpoint}?tab=metrics`)
  await page.getByRole('navigation', { name: 'Range' }).waitFor()
  expect(complaints).toEqual([])
})
