import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Opened, launch, open } from '../browser/harness.ts'
import { withOwnPages } from './own-pages.ts'
import { Stage } from './stage.ts'

// A real guard on a machine whose facts are hostile, and a script that prints what is worse. Control characters the guard
// itself leaves out of facts; output is passed on as it is.
const html = '<img src=x onerror=alert(1)>"=cmd()'
const facts = {
  '/proc/sys/kernel/hostname': `${html}\n`,
  '/etc/os-release': `PRETTY_NAME="=HYPERLINK(1,2) <script>alert(2)</script>"\n`,
  '/proc/cpuinfo': 'model name : {{constructor.constructor("alert(3)")()}}\n',
}
const output = 'printf \'\\033[2J\\033[31mall is well\\033[0m\\007 web-01\\342\\200\\256gnp.exe <script>alert(4)</script> =1+1\\n\'\n'
/** Code points that would act instead of being seen. */
const acting = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u

const stage = new Stage()
let browser: Browser
let alice: Opened
let job: string

beforeAll(async () => {
  await stage.organisation()
  stage.endpoint('endpoint-1', stage.enrolment(), facts)
  await stage.until('the endpoint', () => stage.database("print(db.execute('select count(*) from endpoint').fetchone()[0])") === '1')
  stage.write('hostile.sh', output)
  stage.json('alice', ['run', '--on', 'all', '--title', html, 'hostile.sh'])
  job = stage.database("print(db.execute('select id from job').fetchone()[0])")
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
  await page.waitForURL((url) => url.pathname + url.search === path)
  await page.locator('main h1').first().waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
}

test('whatever a real endpoint reports is shown on every page, and neither acts nor misleads', async () => {
  const { page, complaints } = alice
  await page.getByRole('button', { name: /Live, verified/ }).first().waitFor({ timeout: 60_000 })
  const { endpoint } = stage.status('endpoint-1')
  const paths = ['/', '/fleet', '/approvals', '/run', '/jobs', `/jobs/${job}`, `/jobs/${job}?tab=receipts`, `/jobs/${job}?tab=statement`, `/endpoints/${endpoint}`, `/endpoints/${endpoint}?tab=inventory`, `/endpoints/${endpoint}?tab=jobs`, `/endpoints/${endpoint}?tab=receipts`, '/orders', '/freezes', '/trust', '/log', '/settings']
  let shown = ''
  for (const path of paths) {
    await visit(page, path)
    const text = await page.locator('body').innerText()
    shown += text
    expect(text.replaceAll(/[\n\t]/g, ''), path).not.toMatch(acting)
    expect(await page.locator('main img, main script, main iframe, main object, main [onerror], main a[href^="javascript:"]').count(), path).toBe(0)
    const titles = await page.evaluate<string[]>('[...document.querySelectorAll("[title]")].map((one) => one.title)')
    for (const title of titles) expect(title, path).not.toMatch(acting)
  }
  // It was there to be seen, as what it is.
  for (const text of [html, '=HYPERLINK(1,2) <script>alert(2)</script>', '{{constructor']) expect(shown).toContain(text)
  expect(complaints).toEqual([])
})

test('what a script printed is shown with what would act as marks', async () => {
  const { page, complaints } = alice
  // It prints when the page is there to see it: output is passed on, and kept by its hash only.
  stage.write('later.sh', `while [ ! -e '${stage.path('go')}' ]; do sleep 0.1; done\n${output}sleep 2\n`)
  stage.json('alice', ['run', '--on', 'all', '--no-wait', 'later.sh'])
  const later = stage.database(`print(db.execute("select id from job where id != '${job}'").fetchone()[0])`)
  await visit(page, `/jobs/${later}`)
  await page.getByText('running').first().waitFor()
  stage.write('go', '')
  const body = page.locator('body')
  await page.getByText(/all is well/).first().waitFor()
  const text = (await body.innerText()).replaceAll(/[\n\t]/g, '')
  expect(text).not.toMatch(acting)
  for (const mark of ['ESC', 'BEL', 'U+202E', '<script>alert(4)</script>']) expect(text).toContain(mark)
  expect(complaints).toEqual([])
})
