import { inject, test } from 'vitest'

import { launch, open } from '../browser/harness.ts'

const endpoints = 100_000

/** Prints, and fails nothing: a slow machine is no mistake. The mock holds the fleet in the page, beside what draws it. */
test('a list of 100,000 endpoints', async () => {
  const browser = await launch()
  const origin = inject('origin')
  const { page, context } = await open(browser, `${origin}/settings?mock-size=${endpoints}`)
  await page.getByRole('heading', { name: 'Settings' }).waitFor()

  const first = await page.evaluate<number>(`(async () => {
    const from = performance.now()
    document.querySelector('a[href="/fleet"]').click()
    while (!document.querySelector('[role=row] [role=gridcell] bdi')) await new Promise(requestAnimationFrame)
    return performance.now() - from
  })()`)
  // Words with a hyphen: no id holds one, so that what is found is found by its name.
  const search = await page.evaluate<number[]>(`(async () => {
    const field = document.querySelector('input[type=search]')
    const type = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set
    const times = []
    for (const text of ['web-', 'web-h', 'web-hub-1', 'dc-school', 'kiosk-', '']) {
      const from = performance.now()
      type.call(field, text)
      field.dispatchEvent(new Event('input', { bubbles: true }))
      const fits = () => {
        const cells = [...document.querySelectorAll('[role=row] a bdi')].slice(0, 3)
        const foot = document.querySelector('[aria-live].tabular')?.textContent ?? ''
        return new URLSearchParams(location.search).get('q') === (text || null) && !foot.startsWith('Looking') && (cells.length > 0 || foot.startsWith('0')) && cells.every((cell) => cell.textContent.toLowerCase().includes(text) || text.length < 2)
      }
      while (!fits()) await new Promise(requestAnimationFrame)
      times.push(performance.now() - from)
    }
    return times
  })()`)
  const frames = await page.evaluate<number[]>(`(async () => {
    const grid = document.querySelector('[role=grid]')
    const frames = []
    let last = await new Promise(requestAnimationFrame)
    for (let at = 0; at < 240; at += 1) {
      grid.scrollTop += at % 40 === 0 ? 200_000 : 160
      const now = await new Promise(requestAnimationFrame)
      frames.push(now - last)
      last = now
    }
    return frames
  })()`)
  const sorted = frames.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
  console.log(`${endpoints} endpoints`)
  console.log(`  first rows            ${first.toFixed(0)} ms`)
  console.log(`  search, each key      ${search.map((ms) => ms.toFixed(0)).join(' ')} ms`)
  console.log(`  frames while scrolling  median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(0.999)} ms`)
  await context.close()
  await browser.close()
}, 120_000)
