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
  opened = await open(browser, inject('origin'))
  page = opened.page
  await settled(page)
})
afterEach(async () => {
  expect(opened.complaints).toEqual([])
  await opened.context.close()
})

const dialog = () => page.getByRole('dialog')

test('by the keyboard: a script is written, changed, compared, and run from the library', async () => {
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await page.getByRole('heading', { level: 1, name: 'Scripts' }).waitFor()
  await page.getByRole('list', { name: 'Scripts' }).waitFor()
  await page.keyboard.press('n')
  await page.getByLabel('Title').fill('Say hello')
  await page.getByText('Its file is called say-hello.').waitFor()
  await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('echo hello')
  expect(await seriousViolations(page)).toEqual([])
  await page.keyboard.press('Control+s')
  await page.getByRole('heading', { level: 2, name: 'Say hello' }).waitFor()
  await page.getByText('1 version', { exact: true }).waitFor()
  await page.getByText(/It becomes reviewed when one has/).waitFor()
  await page.getByRole('heading', { level: 1, name: 'Scripts' }).click()
  await page.keyboard.press('e')
  await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(' world')
  await page.keyboard.press('Control+s')
  await page.getByText('2 versions', { exact: true }).waitFor()
  // What the newest changed is shown at once.
  const difference = page.getByRole('region', { name: 'Difference' })
  await difference.getByText('echo hello world').waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await page.getByRole('heading', { level: 1, name: 'Scripts' }).click()
  await page.keyboard.press('r')
  await page.getByRole('heading', { level: 1, name: 'Run a script' }).waitFor()
  await page.getByRole('textbox', { name: 'Script', exact: true }).getByText('echo hello world').waitFor()
  await expect.poll(() => page.getByLabel('Title').inputValue(), patient).toBe('Say hello')
})

test('a reviewed version says by whom and where the log shows it, and is milder where it ran', async () => {
  await page.goto(`${inject('origin')}/scripts?name=collect-disk-health`)
  await page.getByRole('link', { name: 'entry 3' }).waitFor()
  await page.getByText('Alice Example and Bob Example').first().waitFor()
  await page.goto(`${inject('origin')}/run?on=${encodeURIComponent('["site:lab"]')}&script=collect-disk-health`)
  await page.getByText(/Reviewed in exactly this form/).waitFor()
  // With another text it is another script.
  await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('echo more')
  await page.getByText(/Reviewed in exactly this form/).waitFor({ state: 'detached' })
})

test('a folder of files is taken in, and a bad name is refused by name', async () => {
  await page.goto(`${inject('origin')}/scripts`)
  await page.getByRole('button', { name: 'Import, export' }).click()
  await dialog().getByLabel('Take in files').setInputFiles([
    { name: 'clear-logs.sh', mimeType: 'text/plain', buffer: Buffer.from('journalctl --vacuum-size=1G\n') },
    { name: 'Bad Name.sh', mimeType: 'text/plain', buffer: Buffer.from('x') },
  ])
  await dialog().getByText('1 new script, 0 changed').waitFor()
  await dialog().getByText('Bad Name.sh').waitFor()
  await dialog().getByText('bartizan scripts export').waitFor()
  expect(await seriousViolations(page)).toEqual([])
})

test('a standing order is written: ten runs in words, class and signers, then the sheet', async () => {
  await page.keyboard.press('g')
  await page.keyboard.press('o')
  await page.getByRole('heading', { level: 1, name: 'Standing orders' }).waitFor()
  await page.keyboard.press('n')
  await page.getByRole('heading', { level: 1, name: 'Write a standing order' }).waitFor()
  const runs = page.getByRole('list', { name: 'The next runs' })
  await runs.getByRole('listitem').nth(9).waitFor()
  await page.getByLabel('A tenant or a site').selectOption('site:lab')
  await page.getByLabel('Title').fill('Nightly')
  await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('find /var/tmp -delete')
  await page.getByLabel('At', { exact: true }).fill('02:30')
  await runs.getByText(/02:30/).first().waitFor()
  await page.getByText(/1 more person sign/).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  // A calendar that is none says so, and nothing can be signed.
  await page.getByLabel('Or as a calendar').fill('every day')
  await page.getByRole('alert').getByText(/five fields of numbers/i).waitFor()
  await page.getByLabel('Or as a calendar').fill('')
  await page.getByLabel('It runs').selectOption('service_down')
  expect(await page.getByRole('button', { name: 'Read and sign' }).getAttribute('aria-disabled')).toBe('true')
  await page.getByLabel('Service').fill('nginx')
  await page.getByText(/It has no times/).waitFor()
  await page.keyboard.press('Control+Enter')
  await dialog().getByText('It is a standing order and runs while the service nginx does not run.').waitFor()
  await page.keyboard.press('Control+Enter')
  await dialog().getByText('Signed, and waiting for others').waitFor()
})

test('several statements are approved one by one, and a refusal stops there with nothing lost', async () => {
  await page.keyboard.press('g')
  await page.keyboard.press('a')
  await page.getByRole('heading', { level: 1, name: 'Approvals' }).waitFor()
  await page.getByRole('button', { name: /Rotate the time servers/ }).waitFor()
  await page.keyboard.press('x')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.getByText('2 chosen').waitFor()
  await page.keyboard.press('b')
  await dialog().getByRole('heading', { name: 'Approve 2 statements' }).waitFor()
  await dialog().getByRole('list', { name: 'Words of the digest' }).nth(1).waitFor()
  const approve = dialog().getByRole('button', { name: /one by one/ })
  expect(await approve.getAttribute('aria-disabled')).toBe('true')
  for (const at of [1, 2]) await dialog().getByRole('checkbox', { name: new RegExp(`I have read ${at} `) }).check()
  expect(await seriousViolations(page)).toEqual([])
  // The second is refused: the first stays signed.
  await page.evaluate(() => document.dispatchEvent(new CustomEvent('mock:refuse', { detail: 2 })))
  await page.keyboard.press('Control+Enter')
  await dialog().getByText(/1 of 2 signed; stopped at/).waitFor()
  await dialog().getByRole('alert').getByRole('button', { name: 'Try again' }).click()
  await dialog().getByRole('checkbox', { name: /I have read 2 / }).check()
  await page.keyboard.press('Control+Enter')
  await dialog().getByText('2 of 2 signed.').waitFor()
  await dialog().getByRole('button', { name: 'Done' }).press('Enter')
  await page.getByText('0 statements for you').or(page.getByText('1 statement for you')).first().waitFor()
})
