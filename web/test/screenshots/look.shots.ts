import { mkdirSync } from 'node:fs'
import { inject, test } from 'vitest'

import { launch, open, settled } from '../browser/harness.ts'
import { pages } from '../browser/pages.ts'

/** Pictures of every page, to be looked at: `npm run screenshots`. */
test('every page in both themes and narrow', async () => {
  const origin = inject('origin')
  const browser = await launch()
  mkdirSync('test/shots', { recursive: true })
  const only = process.env.ONLY?.split(',')
  for (const [theme, width, height] of [['light', 1440, 900], ['dark', 1440, 900], ['light', 320, 720]] as const) {
    for (const page of pages.filter((one) => !only || only.includes(one.name))) {
      const opened = await open(browser, origin + page.path, { theme, width, height })
      await settled(opened.page)
      await opened.page.screenshot({ path: `test/shots/${page.name}-${theme}-${width}.png` })
      if (opened.complaints.length > 0) console.log(page.name, theme, opened.complaints)
      await opened.context.close()
    }
  }
  await browser.close()
}, 300_000)
