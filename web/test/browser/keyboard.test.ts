import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'

import { type Opened, launch, open, settled } from './harness.ts'

/*
 * Nothing but keys, from loading the page: no pointer, no `fill`, and no focus that a script gives. Each key is followed by a
 * look at what has the focus and whether a person would see it.
 */
let browser: Browser
let opened: Opened
let page: Page
/** What had the focus and showed nothing of it. */
let unseen: string[]
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
beforeEach(async () => {
  opened = await open(browser, inject('origin'))
  page = opened.page
  unseen = []
  await settled(page)
})
afterEach(async () => {
  const { complaints, context } = opened
  await context.close()
  expect(unseen).toEqual([])
  expect(complaints).toEqual([])
})

const dialog = () => page.getByRole('dialog')

type Focus = { name: string; seen: boolean; nowhere: boolean }

/** What has the focus, and whether a ring is drawn: its own, or of what holds it. */
function focus(): Promise<Focus> {
  return page.evaluate(() => {
    const element = document.activeElement
    const nowhere = element === null || element === document.body
    const shadow = (style: CSSStyleDeclaration) => style.boxShadow.replaceAll(/rgba\(0, 0, 0, 0\) 0px 0px 0px 0px(, )?/g, '').replace(/, $/, '')
    const ring = (style: CSSStyleDeclaration) => (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0) || !['', 'none'].includes(shadow(style))
    const holders = [element, element?.closest('.cm-editor')?.parentElement, element?.closest('[data-focus-ring]')].filter((one) => one instanceof Element)
    const seen = holders.some((one) => ring(getComputedStyle(one)) || (one !== element && ring(getComputedStyle(one, '::after'))))
    const name = `${element?.tagName.toLowerCase()} ${element?.getAttribute('role') ?? ''} "${(element?.getAttribute('aria-label') ?? element?.textContent ?? '').trim().slice(0, 40)}"`
    return { name, seen, nowhere }
  })
}

/** One key, and a look. */
async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key)
    const { name, seen, nowhere } = await focus()
    // Text that only scrolls has its ring, too; nothing at all has the focus before the first Tab.
    if (!seen && !nowhere) unseen.push(`${name} after ${key}`)
  }
}

/** Tab until it has the focus. */
async function tabTo(target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.first().waitFor()
  for (let step = 0; step < 150; step += 1) {
    if (await has(target)) return
    await press(key)
  }
  throw new Error(`Tab does not come to ${String(target)}; it ended at ${(await focus()).name}`)
}

function has(target: Locator): Promise<boolean> {
  return target.first().evaluate((element) => element === document.activeElement)
}

async function waitForFocus(target: Locator): Promise<void> {
  await expect.poll(async () => ((await target.count()) > 0 && (await has(target)) ? 'there' : (await focus()).name), { timeout: 10_000 }).toBe('there')
}

describe('flows', () => {
  test('an endpoint is found and opened', async () => {
    await press('g', 'f')
    await page.getByRole('grid', { name: 'Endpoints' }).waitFor()
    await press('/')
    await page.keyboard.type('web-hub')
    await page.getByRole('row').filter({ hasText: 'web-hub' }).first().waitFor()
    await page.getByRole('row').filter({ hasText: 'ws-' }).first().waitFor({ state: 'detached' })
    await tabTo(page.getByRole('grid', { name: 'Endpoints' }))
    await press('ArrowDown', 'ArrowUp', 'Enter')
    await page.getByRole('heading', { level: 1, name: /^web-hub/ }).waitFor()
    await tabTo(page.getByRole('link', { name: 'inventory', exact: true }))
    await press('Enter')
    await page.getByRole('region', { name: 'Inventory' }).waitFor()
  })

  test('several are chosen, a change is written, its class is seen, one person signs, the other countersigns, and it ends', async () => {
    await press('g', 'f')
    const grid = page.getByRole('grid', { name: 'Endpoints' })
    await grid.waitFor()
    await press('/')
    await page.keyboard.type('ws-school')
    await page.getByRole('row').filter({ hasText: 'delta-logistics' }).first().waitFor({ state: 'detached' })
    // Whoever is away would keep it waiting.
    await tabTo(page.getByRole('button', { name: 'Connected', exact: true }))
    await press('Enter')
    await page.getByRole('row').filter({ hasText: 'away' }).first().waitFor({ state: 'detached' })
    await tabTo(grid)
    await press('x')
    for (let at = 0; at < 11; at += 1) await press('Shift+ArrowDown')
    const selection = page.getByRole('region', { name: 'Selection' })
    await selection.getByText('12 chosen').waitFor()
    await selection.getByText('you and 1 more person sign it').waitFor()
    await press('r')
    await page.getByRole('heading', { name: 'Run a script' }).waitFor()
    await tabTo(page.getByLabel('Title'))
    await page.keyboard.type('Say hello')
    await tabTo(page.getByRole('textbox', { name: 'Script', exact: true }))
    await press('Control+End')
    await page.keyboard.type('echo hello')
    // Out of the editor again: Tab is no character there.
    await tabTo(page.getByLabel('Reason'))
    await page.keyboard.type('greeting')
    await tabTo(page.getByRole('button', { name: 'Read and sign' }), 'Shift+Tab')
    await press('Enter')
    await dialog().getByRole('region', { name: 'The statement in words' }).getByText('echo hello').waitFor()
    await dialog().getByText('change', { exact: true }).first().waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Sign', exact: true }))
    await press('Enter')
    await dialog().getByText('Signed, and waiting for others').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Say hello' }).waitFor()

    await page.evaluate(() => document.dispatchEvent(new Event('mock:other-person')))
    await page.getByText('Alice Example').first().waitFor()
    await press('g', 'a')
    await page.getByRole('heading', { name: 'Approvals' }).waitFor()
    await tabTo(page.getByRole('button', { name: /Say hello/ }))
    await press('Enter')
    await page.getByRole('heading', { level: 2, name: 'Say hello' }).waitFor()
    await press('a')
    await dialog().getByRole('list', { name: 'Words of the digest' }).waitFor()
    await tabTo(dialog().getByRole('checkbox'))
    await press('Space')
    await tabTo(dialog().getByRole('button', { name: 'Approve' }))
    await press('Enter')
    await dialog().getByText('Signed, and enough people have').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    await dialog().waitFor({ state: 'detached' })
    await press('g', 'j')
    await tabTo(page.getByRole('grid', { name: 'Jobs' }))
    await press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Say hello' }).waitFor()
    await page.getByText('12 of 12 ended').waitFor({ timeout: 30_000 })
  })

  test('everything is frozen, and two people thaw it', async () => {
    await press('!')
    await tabTo(dialog().getByLabel('Why'))
    await page.keyboard.type('drill')
    await press('Enter')
    await dialog().getByText('Freeze everything?').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Freeze' }))
    await press('Enter')
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    const banner = page.getByRole('region', { name: 'What stands still' })
    await banner.getByText(/of 1,391 endpoints confirmed, \d+ away$/).waitFor()
    await tabTo(page.getByRole('button', { name: 'Thaw' }))
    await press('Enter')
    await dialog().getByText('End this freeze?').waitFor()
    await press('Control+Enter')
    await dialog().getByText('Signed, and waiting for others').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    await dialog().waitFor({ state: 'detached' })

    await page.evaluate(() => document.dispatchEvent(new Event('mock:other-person')))
    await page.getByText('Alice Example').first().waitFor()
    await press('g', 'a')
    await tabTo(page.getByRole('button', { name: /Thaw of a freeze/ }))
    await press('Enter')
    await page.getByRole('heading', { level: 2, name: 'Thaw of a freeze' }).waitFor()
    await press('a')
    await tabTo(dialog().getByRole('checkbox'))
    await press('Space', 'Control+Enter')
    await dialog().getByText('Signed, and enough people have').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    await banner.waitFor({ state: 'detached' })
  })

  test('a weakening that nobody knows is stopped', async () => {
    await press('g', 't')
    await tabTo(page.getByRole('button', { name: 'Veto' }))
    await press('Enter')
    await dialog().getByText('Stop bundle version 3?').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Veto' }))
    await press('Enter')
    await dialog().getByText('The bundle will never act.').waitFor()
    await tabTo(dialog().getByRole('button', { name: 'Done' }))
    await press('Enter')
    await page.getByText(/weakens something/).waitFor({ state: 'detached' })
  })

  test('a list is kept under a name, and the palette finds it', async () => {
    await press('g', 'f')
    await tabTo(page.getByRole('button', { name: 'Away', exact: true }))
    await press('Enter')
    await press('v')
    await waitForFocus(dialog().getByLabel('Name'))
    await page.keyboard.type('All that are away')
    await press('Enter')
    await dialog().waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'All that are away' }).waitFor()
    await press('g', 'j')
    await page.getByRole('heading', { name: 'Jobs' }).waitFor()
    await press('Control+k')
    await page.keyboard.type('all that are')
    await page.getByRole('option', { name: /All that are away/ }).waitFor()
    await press('Enter')
    await page.getByRole('button', { name: 'Without All that are away' }).or(page.getByText('All that are away')).first().waitFor()
    expect(page.url()).toContain('state=away')
  })
})

describe('Escape closes it, and the focus is where it was', () => {
  const fromButton: readonly { name: string; keys?: [string, string]; button: string | RegExp }[] = [
    { name: 'the palette', button: /Find or do anything/ },
    { name: 'freeze', button: 'Freeze' },
    { name: 'the state of the link', button: 'Live, verified' },
    { name: 'columns', keys: ['g', 'f'], button: 'Columns' },
    { name: 'save view', keys: ['g', 'f'], button: 'Save view' },
    { name: 'enrol', keys: ['g', 'f'], button: 'Enrol' },
    { name: 'the signing sheet', keys: ['g', 'a'], button: /^Read and approve/ },
    { name: 'import and export', keys: ['g', 'c'], button: 'Import, export' },
    { name: 'add a person', keys: ['g', 't'], button: 'Add a person' },
    { name: 'veto', keys: ['g', 't'], button: 'Veto' },
    { name: 'verify it yourself', keys: ['g', 'l'], button: 'Verify it yourself' },
    { name: 'make a passkey', keys: ['g', ','], button: 'Make a passkey' },
  ]
  test.each(fromButton)('$name', async ({ keys, button }) => {
    if (keys) await press(...keys)
    const opener = page.getByRole('button', { name: button, exact: typeof button === 'string' }).first()
    await tabTo(opener)
    await press('Enter')
    await dialog().waitFor()
    await press('Escape')
    await dialog().waitFor({ state: 'detached' })
    await waitForFocus(opener)
  })

  test.each([['?', '/'], ['!', '/'], ['Control+k', '/'], ['v', '/fleet'], ['c', '/fleet'], ['a', '/approvals']])('what %s opens on %s', async (key, path) => {
    if (path === '/fleet') await press('g', 'f')
    if (path === '/approvals') await press('g', 'a')
    const before = path === '/approvals' ? page.getByRole('button', { name: /Rotate the time servers/ }) : page.getByRole('link', { name: /^Jobs/ })
    await tabTo(before)
    await press(key)
    await dialog().waitFor()
    await press('Escape')
    await dialog().waitFor({ state: 'detached' })
    await waitForFocus(before)
  })

  test('a freeze that was read and not signed', async () => {
    const button = page.getByRole('button', { name: 'Freeze', exact: true }).first()
    await tabTo(button)
    await press('Enter')
    await tabTo(dialog().getByLabel('Why'))
    await page.keyboard.type('drill')
    await press('Enter')
    await dialog().getByText('Freeze everything?').waitFor()
    await press('Escape')
    await dialog().waitFor({ state: 'detached' })
    await waitForFocus(button)
  })

  test('the keys, out of the palette', async () => {
    const button = page.getByRole('button', { name: /Find or do anything/ })
    await tabTo(button)
    await press('Enter')
    await page.keyboard.type('show the keys')
    await page.getByRole('option', { name: /Show the keys/ }).waitFor()
    await press('Enter')
    await dialog().getByText('Sign what is shown').waitFor()
    await press('Escape')
    await dialog().waitFor({ state: 'detached' })
    await waitForFocus(button)
  })
})

test('the first Tab leads past the menu', async () => {
  await press('Tab')
  await waitForFocus(page.getByRole('link', { name: 'Skip to the page' }))
  await press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('page')
  await press('Tab')
  expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true)
})

describe('Tab comes round on each page, seen at every step', () => {
  test.each(['s', 'f', 'a', 'r', 'c', 'j', 'o', 'z', 't', 'l', 'u', ','])('g %s', async (key) => {
    await press('g', key)
    await settled(page)
    const skip = page.getByRole('link', { name: 'Skip to the page' })
    await tabTo(skip)
    const held = new Set<string>()
    for (let step = 0; step < 400; step += 1) {
      await press('Tab')
      if (await has(skip)) break
      held.add(`${step} ${(await focus()).name}`)
    }
    expect(await has(skip)).toBe(true)
    expect(held.size).toBeGreaterThan(12)
    // And back again: what can be left forwards can be left backwards.
    await press('Shift+Tab', 'Shift+Tab', 'Shift+Tab')
    expect(await has(skip)).toBe(false)
  })
})
