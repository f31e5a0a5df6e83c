import type { Page } from 'playwright-core'

import { authenticators } from '../browser/harness.ts'

/** `narrow`: it can be done on a narrow screen as well, or `'only'` there. `reaches`: the address it leads to. `shows`: the file of the dialog that it opens. */
export type Scene = { name: string; path: string; go: (page: Page) => Promise<void>; narrow?: true | 'only'; reaches?: string; shows?: string }

const chooseSome = async (page: Page) => {
  await page.getByRole('grid', { name: 'Endpoints' }).focus()
  await page.keyboard.press('x')
  for (let at = 0; at < 24; at += 1) await page.keyboard.press('Shift+ArrowDown')
  await page.getByText(/you and 1 more person sign it/).waitFor()
}

const next = (page: Page, name = 'Next') => page.getByRole('button', { name, exact: true }).click()

/** The first run, up to a step. */
function founding(step: 'keys' | 'server' | 'people' | 'paper' | 'written' | 'sign' | 'exists') {
  return async (page: Page): Promise<void> => {
    await (await authenticators(page))()
    await page.getByLabel('Short name').fill('alice')
    await page.getByLabel('Name', { exact: true }).fill('Alice Example')
    await next(page, 'Make a passkey')
    await next(page, 'Make the second key')
    await page.getByText('spare', { exact: true }).waitFor()
    if (step === 'keys') return
    await next(page)
    await page.getByLabel('Paste all that it printed').fill('{\n  "version": "0.2.0",\n  "agent_addresses": ["rmm.example.org:443"],\n  "spki": "9f2c41d07ab3e58816f04dd2c97be1a35508cf62e4710b9ad3f86c25be047f19"\n}')
    await page.getByLabel('Address').fill('10.0.0.5:8443')
    if (step === 'server') return
    await next(page)
    const buffer = Buffer.from('{"id":"bob","name":"Bob Example"}')
    await page.getByLabel('Card').setInputFiles({ name: 'bob.card.json', mimeType: 'application/json', buffer })
    await page.getByLabel('Eight words they read to you').fill('amber birch cedar delta ember falcon garnet harbor')
    await next(page, 'Compare the words')
    await page.getByRole('list', { name: 'People' }).waitFor()
    if (step === 'people') return
    await next(page)
    await next(page, 'Make the sheets')
    for (const sheet of [1, 2]) {
      await page.getByRole('heading', { name: new RegExp(`^Sheet ${sheet} of 2`) }).waitFor()
      const words = await page.getByRole('list', { name: 'Words of the passphrase' }).getByRole('listitem').locator('span:last-child').allInnerTexts()
      if (step === 'paper') return
      await next(page, 'Printed and written down')
      for (const place of [3, 6]) await page.getByLabel(`Word ${place}`).fill(words[place - 1] ?? '')
      if (step === 'written') return
      await next(page, 'Check')
    }
    await page.getByRole('button', { name: 'Read and sign' }).waitFor()
    if (step === 'sign') return
    await next(page, 'Read and sign')
    await page.getByRole('dialog').getByRole('button', { name: 'Sign', exact: true }).click()
    await next(page, 'Done')
    await page.getByRole('heading', { level: 1, name: 'The organisation exists' }).waitFor({ timeout: 30_000 })
  }
}

const dialogOf = (page: Page) => page.getByRole('dialog')

/** A halted roll-out, and one of its pages. */
const rollout = (tab?: string) => async (page: Page) => {
  await page.getByRole('link', { name: 'Patch round, November' }).click()
  await page.getByText(/Halted/).waitFor()
  if (tab) await page.getByRole('link', { name: tab, exact: true }).click()
  await settledAgain(page)
}

const endpointTab = (tab: string) => async (page: Page) => {
  await page.getByRole('link', { name: /^web-hub/ }).first().click()
  await page.getByRole('navigation', { name: 'Endpoint' }).getByRole('link', { name: tab }).click()
  await settledAgain(page)
}

const settledAgain = (page: Page) => page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })

/** What one sees after doing something. */
export const scenes: readonly Scene[] = [
  { name: 'selection', path: '/fleet?tenant=acme', go: chooseSome },
  {
    name: 'sheet',
    shows: 'sign/SigningSheet', path: '/approvals',
    go: async (page) => {
      await page.getByRole('button', { name: /Read and approve/ }).click()
      await page.getByRole('list', { name: 'Words of the digest' }).waitFor()
    },
  },
  {
    name: 'rollout',
    reaches: '/jobs/$id', path: '/',
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
    reaches: '/endpoints/$id', path: '/fleet?q=web-hub',
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
      await page.getByRole('link', { name: 'inventory', exact: true }).click()
      await page.getByRole('region', { name: 'Inventory' }).waitFor()
    },
  },
  {
    name: 'despite',
    shows: 'jobs/Rollout',
    path: '/?mock-story=refusals',
    go: async (page) => {
      await rollout()(page)
      await page.getByRole('button', { name: 'Promote despite refusals' }).click()
      await dialogOf(page).getByLabel('Why').fill('They are being rebuilt')
    },
  },
  { name: 'job-endpoints', path: '/', go: rollout('endpoints') },
  { name: 'endpoint-jobs', path: '/fleet?q=web-hub', go: endpointTab('jobs') },
  { name: 'endpoint-receipts', path: '/fleet?q=web-hub', go: endpointTab('receipts') },
  { name: 'endpoint-inventory', path: '/fleet?q=web-hub', go: endpointTab('inventory') },
  {
    name: 'help',
    shows: 'app/Help',
    path: '/',
    narrow: true,
    go: async (page) => {
      await page.keyboard.press('?')
      await dialogOf(page).getByText('Sign what is shown').waitFor()
    },
  },
  {
    name: 'link-state',
    shows: 'app/LinkState',
    path: '/',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Live, verified' }).click()
      await dialogOf(page).getByText('Verify it yourself').waitFor()
    },
  },
  {
    name: 'menu',
    path: '/',
    narrow: 'only',
    go: async (page) => {
      await page.getByRole('button', { name: 'Menu', exact: true }).click()
      await page.getByRole('link', { name: 'Standing orders' }).waitFor()
    },
  },
  {
    name: 'tenants',
    shows: 'fleet/FleetPage',
    path: '/fleet?tenant=acme',
    narrow: 'only',
    go: async (page) => {
      await page.getByRole('button', { name: 'Tenants' }).click()
      await dialogOf(page).getByText('warehouse').waitFor()
    },
  },
  {
    name: 'freeze-dialog',
    shows: 'freeze/FreezeDialog',
    path: '/',
    narrow: true,
    go: async (page) => {
      await page.keyboard.press('!')
      await dialogOf(page).getByLabel('Why').fill('strange jobs')
    },
  },
  {
    name: 'passkey',
    shows: 'settings/Passkeys',
    path: '/settings',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Make a passkey' }).click()
      await dialogOf(page).getByRole('button', { name: 'Make it' }).waitFor()
    },
  },
  {
    name: 'exchange',
    shows: 'scripts/Exchange',
    path: '/scripts',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Import, export' }).click()
      await dialogOf(page).getByRole('button', { name: 'Done' }).waitFor()
    },
  },
  {
    name: 'alert',
    path: '/alerts?q=reboot',
    reaches: '/alerts/$id',
    narrow: true,
    go: async (page) => {
      await page.getByRole('grid', { name: 'Alerts' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Why it is told, or not' }).waitFor()
    },
  },
  {
    name: 'alert-deed',
    path: '/alerts',
    shows: 'alerts/Deed',
    narrow: true,
    go: async (page) => {
      await page.getByRole('grid', { name: 'Alerts' }).getByRole('row').nth(2).waitFor()
      await page.getByRole('grid', { name: 'Alerts' }).focus()
      await page.keyboard.press('x')
      await page.keyboard.press('a')
      await dialogOf(page).getByLabel('Note').fill('I look at it')
    },
  },
  {
    name: 'alert-window',
    path: '/alerts/rules',
    shows: 'alerts/MakeWindow',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Make a window' }).click()
      await dialogOf(page).getByLabel('Name').fill('new switch')
    },
  },
  {
    name: 'alert-window-end',
    path: '/alerts/rules',
    shows: 'alerts/RulesPage',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'End', exact: true }).first().click()
      await dialogOf(page).getByText('patch sunday').waitFor()
    },
  },
  {
    name: 'policy',
    path: '/policies',
    reaches: '/policies/$id',
    narrow: true,
    go: async (page) => {
      await page.getByRole('link', { name: 'web', exact: true }).click()
      await page.getByRole('heading', { name: 'What was signed' }).waitFor()
    },
  },
  {
    name: 'metrics',
    path: '/fleet?q=web-',
    narrow: true,
    go: async (page) => {
      await page.getByRole('grid').getByRole('link').nth(1).click()
      await page.getByRole('link', { name: 'metrics' }).click()
      await page.locator('canvas').first().waitFor()
    },
  },
  {
    name: 'columns',
    shows: 'fleet/ColumnChooser', path: '/fleet',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Columns' }).click()
      await page.getByRole('dialog').getByRole('checkbox', { name: 'Site' }).click()
    },
  },
  {
    name: 'save-view',
    shows: 'fleet/SaveView', path: '/fleet?tenant=acme&state=away',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: 'Save view' }).click()
      await page.getByRole('dialog').getByLabel('Name').fill('Away at acme')
    },
  },
  {
    name: 'batch',
    shows: 'approvals/BatchSheet', path: '/approvals',
    narrow: true,
    go: async (page) => {
      await page.getByRole('button', { name: /Rotate the time servers/ }).waitFor()
      for (const key of ['x', 'j', 'x', 'b']) await page.keyboard.press(key)
      await page.getByRole('dialog').getByRole('list', { name: 'Words of the digest' }).first().waitFor()
      await page.getByRole('dialog').getByRole('checkbox', { name: /I have read 1 / }).check()
    },
  },
  {
    name: 'scripts-difference',
    path: '/scripts?name=clear-temporary-files',
    go: (page) => page.getByRole('region', { name: 'Difference' }).waitFor(),
  },
  {
    name: 'standing',
    path: '/run?standing=true&on=%5B%22site%3Alab%22%5D&script=collect-disk-health',
    go: async (page) => {
      await page.getByLabel('On', { exact: true }).selectOption('1-5')
      await page.getByLabel('Time zone').fill('Europe/Berlin')
      await page.getByText('By the clock of Europe/Berlin').waitFor()
      await page.getByRole('heading', { name: 'When' }).scrollIntoViewIfNeeded()
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
    shows: 'logs/LogPage', path: '/log?log=control&index=0',
    go: (page) => page.getByText(/ssh-keygen -Y verify/).waitFor(),
  },
  ...(['keys', 'server', 'people', 'paper', 'written', 'sign', 'exists'] as const).map((step) => ({ name: `founding-${step}`, path: '/found?mock-story=new', go: founding(step), narrow: true as const })),
  {
    name: 'joining-card',
    path: '/join?mock-story=new',
    narrow: true,
    go: async (page) => {
      await (await authenticators(page))()
      await page.getByLabel('Short name').fill('bob')
      await page.getByLabel('Name', { exact: true }).fill('Bob Example')
      await next(page, 'Make a passkey')
      await next(page, 'Make my card')
      await page.getByRole('list', { name: 'Words of your card' }).waitFor()
    },
  },
  { name: 'joining-answer', path: '/join?mock-story=new', narrow: true, go: (page) => next(page, 'They have it already') },
  {
    name: 'person',
    shows: 'people/AddPersonDialog', path: '/trust',
    narrow: true,
    go: async (page) => {
      await next(page, 'Add a person')
      await page.getByRole('dialog').getByLabel('Card').waitFor()
    },
  },
  {
    name: 'enrol',
    shows: 'enrol/EnrolDialog', path: '/fleet?mock-story=empty',
    go: async (page) => {
      await page.getByRole('button', { name: /^Enrol/ }).first().click()
      await page.getByRole('dialog').getByLabel('Tenant').fill('acme')
    },
  },
]
