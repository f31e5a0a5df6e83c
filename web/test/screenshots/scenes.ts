import type { Page } from 'playwright-core'

export type Scene = { name: string; path: string; go: (page: Page) => Promise<void> }

const chooseSome = async (page: Page) => {
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.keyboard.press('x')
  for (let at = 0; at < 24; at += 1) await page.keyboard.press('Shift+ArrowDown')
  await page.getByText(/you and 1 more person sign it/).waitFor()
}

/** What one sees after doing something. */
export const scenes: readonly Scene[] = [
  { name: 'selection', path: '/fleet?tenant=acme', go: chooseSome },
  {
    name: 'sheet',
    path: '/approvals',
    go: async (page) => {
      await page.getByRole('button', { name: /Read and approve/ }).click()
      await page.getByRole('list', { name: 'Words of the digest' }).waitFor()
    },
  },
  {
    name: 'rollout',
    path: '/',
    go: async (page) => {
      await page.getByRole('link', { name: 'Patch round, November' }).click()
      await page.getByText(/Halted/).waitFor()
    },
  },
  {
    name: 'statement',
    path: '/',
    go: async (page) => {
      await page.getByRole('link', { name: 'Patch round, November' }).click()
      await page.getByRole('link', { name: 'statement' }).click()
      await page.getByRole('region', { name: 'The statement in words' }).waitFor()
    },
  },
  {
    name: 'receipts',
    path: '/',
    go: async (page) => {
      await page.getByRole('link', { name: 'Patch round, November' }).click()
      await page.getByRole('link', { name: 'receipts' }).click()
      await page.getByRole('region', { name: 'Receipts' }).waitFor()
    },
  },
  {
    name: 'frozen',
    path: '/freezes',
    go: async (page) => {
      await page.getByRole('button', { name: 'Freeze' }).first().click()
      await page.getByRole('dialog').getByLabel('Why').fill('strange jobs')
      await page.getByRole('button', { name: 'Show the freeze' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click()
      await page.getByRole('button', { name: 'Done' }).click()
      await page.getByText(/1,149 of 1,391 endpoints confirmed/).first().waitFor()
    },
  },
  {
    name: 'endpoint',
    path: '/fleet?q=web-hub',
    go: async (page) => {
      await page.getByRole('link', { name: /^web-hub/ }).first().click()
      await page.getByText('Who it is').waitFor()
    },
  },
  {
    name: 'hostile-endpoint',
    path: '/fleet?mock-size=12&q=all',
    go: async (page) => {
      await page.getByRole('link', { name: /all is well/ }).click()
      await page.getByRole('link', { name: 'inventory' }).click()
      await page.getByRole('region', { name: 'Inventory' }).waitFor()
    },
  },
  {
    name: 'palette',
    path: '/fleet',
    go: async (page) => {
      await page.keyboard.press('Control+k')
      await page.keyboard.type('web-hub')
      await page.getByRole('option').filter({ hasText: 'Endpoint' }).first().waitFor()
    },
  },
  {
    name: 'verify',
    path: '/log?log=control&index=0',
    go: (page) => page.getByText(/ssh-keygen -Y verify/).waitFor(),
  },
  {
    name: 'enrol',
    path: '/fleet?mock-story=empty',
    go: async (page) => {
      await page.getByRole('button', { name: /^Enrol/ }).first().click()
      await page.getByRole('dialog').getByLabel('Tenant').fill('acme')
    },
  },
]
