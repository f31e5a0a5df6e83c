import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'

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

const dialog = () => page.getByRole('dialog')

describe('by the keyboard alone', () => {
  test('a job is approved, once its words were compared', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.getByRole('heading', { name: 'Approvals' }).waitFor()
    await page.getByRole('heading', { level: 2, name: /Rotate the time servers/ }).waitFor()
    await page.keyboard.press('a')
    await dialog().getByRole('list', { name: 'Words of the digest' }).waitFor()
    expect(await dialog().getByRole('listitem').filter({ hasText: /^\d\w+$/ }).count()).toBe(8)
    expect(await dialog().getByRole('region', { name: 'The statement in words' }).innerText()).toContain('NTP=pool.ntp.example')
    // Not before they were compared.
    await page.keyboard.press('Control+Enter')
    await dialog().getByRole('button', { name: 'Approve' }).waitFor()
    expect(await dialog().getByRole('button', { name: 'Approve' }).getAttribute('aria-disabled')).toBe('true')
    await dialog().getByRole('checkbox').focus()
    await page.keyboard.press('Space')
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('Signed, and enough people have').waitFor()
    await dialog().getByRole('button', { name: 'Done' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('1 statement for you').waitFor()
  })

  test('a script is written, signed and watched until it has ended', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('f')
    await page.getByRole('grid', { name: 'Endpoints' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('ws-school')
    await page.getByRole('row').filter({ hasText: 'ws-school' }).first().waitFor()
    await page.getByRole('row').filter({ hasText: 'delta-logistics' }).first().waitFor({ state: 'detached' })
    await page.getByRole('grid', { name: 'Endpoints' }).focus()
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    // What it would need is said before anything is written.
    await page.getByRole('region', { name: 'Selection' }).getByText('you alone sign it').waitFor()
    await page.keyboard.press('r')
    await page.getByRole('heading', { name: 'Run a script' }).waitFor()
    await page.getByLabel('Title').focus()
    await page.keyboard.type('Say hello')
    await page.getByRole('textbox', { name: 'Script', exact: true }).focus()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('echo hello')
    await page.keyboard.press('Control+Enter')
    await dialog().getByRole('region', { name: 'The statement in words' }).getByText('echo hello').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('It is on its way').waitFor()
    await dialog().getByRole('button', { name: 'Done' }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Say hello' }).waitFor()
    await page.getByText('2 of 2 ended').waitFor()
  })

  test('everything is frozen, confirmations count up, and it is thawed', async () => {
    await page.keyboard.press('!')
    await dialog().getByRole('heading', { name: 'Freeze' }).waitFor()
    await dialog().getByLabel('Why').fill('drill')
    await page.keyboard.press('Enter')
    await dialog().getByText('Freeze everything?').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('Watch the confirmations').waitFor()
    await dialog().getByRole('button', { name: 'Done' }).press('Enter')
    const banner = page.getByRole('region', { name: 'What stands still' })
    await banner.getByText(/of 1,391 endpoints confirmed, \d+ away$/).waitFor()
    // On every page.
    await page.keyboard.press('g')
    await page.keyboard.press('j')
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    await banner.waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('z')
    await page.getByRole('button', { name: 'Thaw' }).press('Enter')
    await dialog().getByText('End this freeze?').waitFor()
    await page.keyboard.press('Control+Enter')
    await dialog().getByText('Signed, and waiting for others').waitFor()
  })

  test('the palette finds endpoints, jobs and actions', async () => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.type('srv-hub-1')
    await page.getByRole('option').filter({ hasText: 'Endpoint' }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /srv-hub-1/ }).waitFor()
  })

  test('the palette offers no endpoint that only fewer words had found', async () => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').pressSequentially('ws')
    const endpoints = page.getByRole('option').filter({ hasText: 'Endpoint' })
    await endpoints.first().waitFor()
    await page.evaluate(() => document.dispatchEvent(new Event('mock:hold')))
    await page.getByRole('combobox').pressSequentially('-school')
    for (const row of await endpoints.allInnerTexts()) expect(row.split('\n')[0]).toContain('ws-school')
    await page.evaluate(() => document.dispatchEvent(new Event('mock:release')))
    await endpoints.first().waitFor()
  })

  test('the help lists the keys', async () => {
    await page.keyboard.press('?')
    await dialog().getByText('Sign what is shown').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
  })
})

test('a halted roll-out says why and cannot be promoted', async () => {
  await page.getByRole('link', { name: 'Patch round, November' }).click()
  await page.getByText(/Halted: 3 of 18 endpoints of stage tenth failed/).waitFor()
  const promote = page.getByRole('button', { name: 'Promote' })
  expect(await promote.getAttribute('aria-disabled')).toBe('true')
  await promote.hover()
  await page.getByText(/nothing overrides that/).waitFor()
  expect(await seriousViolations(page)).toEqual([])
})

test('the signing sheet has nothing serious', async () => {
  await page.keyboard.press('g')
  await page.keyboard.press('a')
  await page.getByRole('button', { name: 'Read and approve' }).click()
  await dialog().getByRole('list', { name: 'Words of the digest' }).waitFor()
  expect(await seriousViolations(page)).toEqual([])
})

test('an entry of the log shows the exact command', async () => {
  await page.goto(`${inject('origin')}/log?log=control&index=0`)
  await dialog().getByText(/ssh-keygen -Y verify/).waitFor()
  expect(await seriousViolations(page)).toEqual([])
})

test('endpoints of several tenants cannot be chosen for one job, and the button says so', async () => {
  await page.goto(`${inject('origin')}/run?on=${encodeURIComponent('["tenant:acme","tenant:birch"]')}`)
  await page.getByRole('alert').getByText(/belong to 2 tenants/).waitFor()
  expect(await page.getByRole('button', { name: 'Read and sign' }).getAttribute('aria-disabled')).toBe('true')
})

test('a link that was used says so', async () => {
  await page.goto('about:blank')
  await page.goto(`${inject('origin')}/#launch=used`)
  await page.getByRole('heading', { name: 'This link was used already' }).waitFor()
  expect(page.url()).not.toContain('launch')
})
