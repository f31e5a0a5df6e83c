import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'

import { type Opened, type Theme, authenticators, launch, open, seriousViolations, settled, wantsRsa } from './harness.ts'

let browser: Browser
let opened: Opened
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
afterEach(async () => {
  expect(opened.complaints.filter((text) => !wantsRsa.test(text))).toEqual([])
  await opened.context.close()
})

async function start(story: string, theme: Theme = 'light'): Promise<Page> {
  opened = await open(browser, `${inject('origin')}/?mock-story=${story}`, { theme })
  await settled(opened.page)
  return opened.page
}

const dialog = (page: Page) => page.getByRole('dialog')
const card = (id: string, name: string) => ({ name: `${id}.card.json`, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ id, name })) })

async function type(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).focus()
  await page.keyboard.insertText(text)
}

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('button:not([aria-disabled])', { hasText: name }).first().press('Enter')
}

/** The first step: who one is, and a passkey. */
async function introduce(page: Page, id: string, name: string): Promise<void> {
  await (await authenticators(page))()
  await type(page, 'Short name', id)
  await type(page, 'Name', name)
  await press(page, 'Make a passkey')
  await page.getByText('signs', { exact: true }).waitFor()
}

/** A sheet: its passphrase as a person writes it down, and back. */
async function writeDown(page: Page, before?: (words: string[]) => Promise<void>): Promise<void> {
  const list = page.getByRole('list', { name: 'Words of the passphrase' })
  await list.waitFor()
  const words = await list.getByRole('listitem').locator('span:last-child').allInnerTexts()
  await press(page, 'Printed and written down')
  await list.waitFor({ state: 'detached' })
  await before?.(words)
  for (const place of [3, 6]) await type(page, `Word ${place}`, words[place - 1] ?? '')
  await page.keyboard.press('Enter')
}

describe.each(['light', 'dark'] satisfies Theme[])('by the keyboard, in the %s theme', (theme) => {
  test('two people found an organisation, with paper', async () => {
    const page = await start('new', theme)
    await page.getByRole('link', { name: 'Found an organisation' }).press('Enter')
    const axe = async () => expect(await seriousViolations(page)).toEqual([])
    expect(await page.getByRole('button', { name: 'Next' }).getAttribute('aria-disabled')).toBe('true')
    await introduce(page, 'bob', 'Bob Example')
    await axe()
    await press(page, 'Next')
    // The button is gone; the next step has the focus.
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('The server')
    await type(page, 'Paste all that it printed', '{"version":"0.2.0"}')
    await type(page, 'Address', '10.0.0.5:8443')
    await axe()
    await press(page, 'Next')
    await page.getByLabel('Card').setInputFiles(card('carol', 'Carol Example'))
    await type(page, 'Eight words they read to you', 'these are wrong words of some other person')
    await press(page, 'Compare the words')
    await page.getByRole('alert').getByText(/not the words of the card of carol/).waitFor()
    await page.getByLabel('Eight words they read to you').fill('amber birch cedar delta ember falcon garnet harbor')
    await press(page, 'Compare the words')
    await page.getByRole('list', { name: 'People' }).getByText('Carol Example').waitFor()
    await axe()
    await press(page, 'Next')
    await press(page, 'Make the sheets')
    await page.getByRole('img', { name: 'Bartizan recovery key as a QR code' }).first().waitFor()
    await axe()
    await writeDown(page, async (words) => {
      // It has left the page.
      expect(await page.evaluate<boolean>('document.activeElement.matches("input")')).toBe(true)
      expect(await page.evaluate<string>('document.documentElement.outerHTML')).not.toContain(words.slice(0, 3).join(' '))
      await type(page, 'Word 3', 'other')
      await type(page, 'Word 6', 'words')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').getByText(/not the words of the passphrase/).waitFor()
      await axe()
      for (const place of [3, 6]) await page.getByLabel(`Word ${place}`).fill('')
    })
    await page.getByRole('heading', { name: /^Sheet 2 of 2/ }).waitFor()
    expect(await page.evaluate<string>('document.activeElement.textContent')).toMatch(/^Sheet 2 of 2/)
    await writeDown(page)
    await press(page, 'Read and sign')
    await dialog(page).getByText('Found this organisation?').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog(page).getByText('Signed, and waiting for others').waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Waiting for the others' }).waitFor()
    await axe()
    // The other person signs; the page goes on by itself.
    await page.getByRole('heading', { level: 1, name: 'The organisation exists' }).waitFor({ timeout: 30_000 })
    await axe()
    await press(page, 'Enter')
    await dialog(page).getByText('Enter the organisation?').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog(page).getByRole('button', { name: 'Done' }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Good to see you' }).waitFor()
    await page.getByRole('heading', { name: 'Setting up' }).waitFor()
    await axe()
  })
})

test('somebody joins: the card goes out with its words, and what comes back is signed', async () => {
  const page = await start('new')
  await page.getByRole('link', { name: 'Join an organisation' }).press('Enter')
  await introduce(page, 'bob', 'Bob Example')
  await press(page, 'Make my card')
  await page.getByRole('list', { name: 'Words of your card' }).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  await press(page, 'They have it')
  await type(page, 'Address of the server', '10.0.0.5:8443')
  await page.getByLabel('File').setInputFiles({ name: 'genesis.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
  expect(await seriousViolations(page)).toEqual([])
  await press(page, 'Read and sign')
  // Somebody signed it before: the words are compared first.
  const approve = dialog(page).getByRole('button', { name: 'Approve' })
  await approve.waitFor()
  expect(await approve.getAttribute('aria-disabled')).toBe('true')
  await dialog(page).getByRole('checkbox').press('Space')
  await page.keyboard.press('Control+Enter')
  await dialog(page).getByRole('button', { name: 'Done' }).press('Enter')
  await page.getByRole('heading', { level: 1, name: 'The organisation exists' }).waitFor()
})

test('a person is added to an organisation that is there', async () => {
  const page = await start('busy')
  await page.keyboard.press('g')
  await page.keyboard.press('t')
  await press(page, 'Add a person')
  await dialog(page).getByLabel('Card').setInputFiles(card('dora', 'Dora Example'))
  expect(await dialog(page).getByRole('button', { name: 'Compare and read' }).getAttribute('aria-disabled')).toBe('true')
  await dialog(page).getByLabel('Eight words they read to you').fill('amber birch cedar delta ember falcon garnet harbor')
  expect(await seriousViolations(page)).toEqual([])
  await dialog(page).getByRole('button', { name: 'Compare and read' }).press('Enter')
  await dialog(page).getByText('Add this person?').waitFor()
  await page.keyboard.press('Control+Enter')
  await dialog(page).getByText('Signed, and waiting for others').waitFor()
})

test('outside of an organisation there is nothing to freeze, and no page that could show something', async () => {
  const page = await start('new')
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' }).waitFor()
  expect(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count()).toBe(2)
  expect(await page.getByRole('button', { name: 'Freeze' }).count()).toBe(0)
  await page.keyboard.press('!')
  await page.keyboard.press('Control+k')
  expect(await dialog(page).count()).toBe(0)
})

test('the sheet alone is printed, black on white', async () => {
  const page = await start('new', 'dark')
  await page.getByRole('link', { name: 'Found an organisation' }).click()
  await introduce(page, 'bob', 'Bob Example')
  await press(page, 'Next')
  await type(page, 'Paste all that it printed', '{}')
  await type(page, 'Address', '10.0.0.5:8443')
  await press(page, 'Next')
  await press(page, 'Alone for now')
  await press(page, 'Make the sheets')
  const list = page.getByRole('list', { name: 'Words of the passphrase' })
  await list.waitFor()
  await page.emulateMedia({ media: 'print' })
  const paper = page.locator('.paper')
  await paper.getByText('-----BEGIN AGE ENCRYPTED FILE-----').waitFor()
  expect(await list.isVisible()).toBe(false)
  expect(await page.locator('#root').isVisible()).toBe(false)
  expect(await paper.evaluate((box) => getComputedStyle(box).color)).toBe('rgb(0, 0, 0)')
  expect(await paper.getByText(/^bz1-/).evaluate((cell) => getComputedStyle(cell).fontFeatureSettings)).toContain('"calt" 0')
  // As wide as A4 between its margins of 15 mm: nothing of the code is cut.
  await page.setViewportSize({ width: Math.floor((180 / 25.4) * 96), height: 900 })
  const code = paper.getByRole('img')
  const box = await code.boundingBox()
  expect((box?.x ?? 0) + (box?.width ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual((180 / 25.4) * 96)
  expect(await code.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
})
