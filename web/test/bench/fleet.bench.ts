import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Opened, launch, open } from '../browser/harness.ts'
import { frameLine, frames, inPage, median } from './measure.ts'
import { type Process, buildPages, startProcess } from './process.ts'

const many = 100_000
const rounds = 5
/** Heard of each second, of 10,000: each endpoint every ten seconds, three times as often as real ones. */
const heardEachSecond = 1_000

let browser: Browser
let pages: Awaited<ReturnType<typeof buildPages>>
beforeAll(async () => {
  pages = await buildPages()
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  pages?.remove()
})

/** Opens the pages over a world, and closes both whatever happens: a browser that stays keeps this program from ending. */
async function over(world: Record<string, string>, work: (opened: Opened, process: Process) => Promise<void>): Promise<void> {
  const process = await startProcess(pages.folder, world)
  try {
    const opened = await open(browser, `${process.origin}/settings#launch=bench`)
    try {
      await opened.page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
      await work(opened, process)
      expect(opened.complaints).toEqual([])
    } finally {
      await opened.context.close()
    }
  } finally {
    await process.end()
  }
}

async function away(page: Page): Promise<void> {
  await page.locator('nav a[href="/settings"]').click()
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
}

async function firstRows(page: Page): Promise<number> {
  return inPage<number>(
    page,
    `
    const from = performance.now()
    document.querySelector('nav a[href="/fleet"]').click()
    await waitFor('the first rows', () => names().length > 0)
    return performance.now() - from
  `,
  )
}

/** From the key to rows that fit, with the number of them that there are. */
async function search(page: Page, text: string, total: number): Promise<number> {
  return inPage<number>(
    page,
    `
    const field = document.querySelector('main input[type=search]')
    const from = performance.now()
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, ${JSON.stringify(text)})
    field.dispatchEvent(new Event('input', { bubbles: true }))
    const wanted = '${total.toLocaleString('en-GB')} endpoint${total === 1 ? '' : 's'}'
    await waitFor(wanted + ' for ' + ${JSON.stringify(JSON.stringify(text))}, () => foot() === wanted && names().slice(0, 5).every((name) => name.includes(${JSON.stringify(text)})))
    return performance.now() - from
  `,
  )
}

async function totalOf(process: Process, text: string): Promise<number> {
  const answer = await process.api(`${process.origin}/api/v1/endpoints?limit=1${text && `&search=${encodeURIComponent(text)}`}`)
  return ((await answer.json()) as { total: number }).total
}

test(`a list of ${many} endpoints`, () =>
  over({ 'mock-size': String(many) }, async ({ page }, process) => {
    console.log(`a list of ${many.toLocaleString('en-GB')} endpoints`)
    await totalOf(process, '')
    const first: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      first.push(await firstRows(page))
      await away(page)
    }
    console.log(`  first rows: ${(first[0] ?? 0).toFixed(0)} ms, and again, in median, ${median(first.slice(1)).toFixed(0)} ms`)
    await firstRows(page)
    // With a hyphen: no id holds one, so that what is found is found by its name.
    for (const text of ['web-', 'web-hub-1-4', 'nothing-has-this-name']) {
      const total = await totalOf(process, text)
      const times: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        times.push(await search(page, text, total))
        await search(page, '', many)
      }
      console.log(`  search for ${text} (${total}): ${times[0]?.toFixed(0)} ms, and again, in median, ${median(times.slice(1)).toFixed(0)} ms`)
    }
    console.log(`  frames at rest: ${frameLine(await frames(page, 120, ''))}`)
    console.log(`  frames while scrolling, 40 rows a second: ${frameLine(await frames(page, 300, 'grid().scrollTop += 23'))}`)
    console.log(`  frames while scrolling, 280 rows a second: ${frameLine(await frames(page, 300, 'grid().scrollTop += 160'))}`)
    console.log(`  frames while jumping to other places, three a second: ${frameLine(await frames(page, 300, 'if (at % 20 === 0) grid().scrollTop = ((at * 7919) % 100) / 100 * grid().scrollHeight'))}`)
  }), 300_000)

test('10,000 endpoints that are heard of all the time', () =>
  over({ 'mock-size': '10000', 'mock-moving': String(heardEachSecond) }, async ({ page }) => {
    console.log(`10,000 endpoints, ${heardEachSecond} of them heard of each second`)
    await firstRows(page)
    const changes = await inPage<number>(
      page,
      `
      let changes = 0
      const watch = new MutationObserver((list) => { changes += list.length })
      watch.observe(grid(), { subtree: true, childList: true, characterData: true, attributes: true })
      await waitFor('a row that changes', () => changes > 0)
      return changes
    `,
    )
    expect(changes).toBeGreaterThan(0)
    console.log(`  frames while watching: ${frameLine(await frames(page, 600, ''))}`)
    console.log(`  frames while scrolling, 40 rows a second: ${frameLine(await frames(page, 600, 'grid().scrollTop += 23'))}`)
  }), 300_000)
