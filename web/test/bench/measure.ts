import type { Page } from 'playwright-core'

/** Longer than anything may take on a slow machine: what is not there by then is not coming. */
export const patienceMs = 15_000

/** What the page itself runs to see what it shows. Strings, since the product's policy forbids `eval` to a page. */
const look = `
  const patience = ${patienceMs}
  const nextFrame = () => new Promise(requestAnimationFrame)
  const foot = () => [...document.querySelectorAll('main [aria-live=polite]')].map((one) => one.textContent).find((text) => /^([\\d,]+ endpoints?|Looking…)$/.test(text))
  const names = () => [...document.querySelectorAll('main [role=row] [role=gridcell] a bdi')].map((one) => one.textContent)
  const grid = () => document.querySelector('main [role=grid]')
  const waitFor = async (what, fits) => {
    const from = performance.now()
    while (!fits()) {
      if (performance.now() - from > patience) throw new Error('waited ' + patience + ' ms for ' + what + '; the page is at ' + location.pathname + location.search + ', its foot says ' + JSON.stringify(foot()) + ', its first rows ' + JSON.stringify(names().slice(0, 3)) + '; it reads: ' + document.querySelector('main')?.innerText.slice(0, 400))
      await nextFrame()
    }
    return performance.now() - from
  }
`

/** Runs a piece of script in the page, with the words above. */
export function inPage<T>(page: Page, script: string): Promise<T> {
  return page.evaluate<T>(`(async () => { ${look} ${script} })()`)
}

export type Frames = { ms: number[]; long: number[]; mainMs: number }

/** Frames while something goes on, tasks that held the page for more than 50 ms, and what a frame cost the page's own thread. */
export async function frames(page: Page, count: number, each: string): Promise<Frames> {
  const protocol = await page.context().newCDPSession(page)
  // Processor time, which a machine with other work counts as well as an idle one; frames it cannot give.
  await protocol.send('Performance.enable', { timeDomain: 'threadTicks' })
  const busy = async () => (await protocol.send('Performance.getMetrics')).metrics.find((one) => one.name === 'TaskDuration')?.value ?? 0
  const before = await busy()
  const { ms, long } = await inPage<{ ms: number[]; long: number[] }>(
    page,
    `
    const long = []
    const watch = new PerformanceObserver((list) => long.push(...list.getEntries().map((one) => one.duration)))
    watch.observe({ type: 'longtask' })
    const ms = []
    let last = await nextFrame()
    const from = last
    for (let at = 0; at < ${count}; at += 1) {
      ${each}
      const now = await nextFrame()
      ms.push(now - last)
      last = now
      if (now - from > ${patienceMs}) break
    }
    watch.disconnect()
    return { ms, long }
  `,
  )
  const mainMs = ((await busy()) - before) * 1000
  await protocol.detach()
  return { ms, long, mainMs }
}

export function part(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export const median = (values: readonly number[]): number => part(values, 0.5)

/** Screens that draw 60 frames a second give a frame 16.7 ms; half a frame more is one that was missed. */
export function frameLine({ ms, long, mainMs }: Frames): string {
  const above = (limit: number) => ((100 * ms.filter((one) => one > limit).length) / ms.length).toFixed(1)
  const total = ms.reduce((sum, one) => sum + one, 0)
  const tasks = long.length === 0 ? 'no task above 50 ms' : `${long.length} tasks above 50 ms, longest ${Math.max(...long).toFixed(0)} ms`
  return `median ${median(ms).toFixed(1)} ms, 95 % ${part(ms, 0.95).toFixed(1)} ms, longest ${part(ms, 1).toFixed(1)} ms; above 16.7 ms ${above(17.5)} %, above 33 ms ${above(34)} %; ${((1000 * ms.length) / total).toFixed(0)} a second; the page's own thread ${(mainMs / ms.length).toFixed(1)} ms a frame; ${tasks}`
}
