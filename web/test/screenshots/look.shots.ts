import { mkdirSync } from 'node:fs'
import { inject, test } from 'vitest'

import { launch, open, settled } from '../browser/harness.ts'
import { pages } from '../browser/pages.ts'
import { scenes } from './scenes.ts'

/** Pictures of every page and scene, to be looked at: `npm run screenshots`, with ONLY=fleet,sheet for some. */
test('every page in both themes and narrow', async () => {
  const origin = inject('origin')
  const browser = await launch()
  mkdirSync('test/shots', { recursive: true })
  const only = process.env.ONLY?.split(',')
  const all = [...pages.map((page) => ({ ...page, go: undefined, narrow: undefined })), ...scenes].filter((one) => !only || only.includes(one.name))
  for (const [theme, width, height] of [['light', 1440, 900], ['dark', 1440, 900], ['light', 320, 720], ['dark', 320, 720]] as const) {
    for (const one of all) {
      // On a narrow screen some controls are elsewhere; most scenes are for wide ones.
      if (one.go && (width < 1000 ? !one.narrow : one.narrow === 'only')) continue
      const opened = await open(browser, origin + one.path, { theme, width, height })
      await settled(opened.page)
      await one.go?.(opened.page)
      await opened.page.screenshot({ path: `test/shots/${one.name}-${theme}-${width}.png` })
      if (opened.complaints.length > 0) console.log(one.name, theme, opened.complaints)
      await opened.context.close()
    }
  }
  await browser.close()
}, 900_000)
