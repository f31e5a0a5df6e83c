import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject, test } from 'vitest'

import { launch, open, settled } from '../browser/harness.ts'
import { scenes } from './scenes.ts'

const folder = join(import.meta.dirname, '../../../docs/guide/pictures')
const wanted = [['selection', 'light'], ['sheet', 'light'], ['rollout', 'dark'], ['frozen', 'light'], ['founding-paper', 'light'], ['columns', 'light'], ['scripts-difference', 'light'], ['standing', 'dark']] as const

/** The pictures of the README and the guide: `npm run pictures`. */
test('pictures of the guide', async () => {
  const browser = await launch()
  mkdirSync(folder, { recursive: true })
  for (const [name, theme] of wanted) {
    const scene = scenes.find((one) => one.name === name)
    if (!scene) throw new Error(`no scene is called ${name}`)
    const { page, context } = await open(browser, inject('origin') + scene.path, { theme, width: 1280, height: 800 })
    await settled(page)
    await scene.go(page)
    await page.screenshot({ path: join(folder, `console-${name}.png`) })
    await context.close()
  }
  await browser.close()
}, 300_000)
