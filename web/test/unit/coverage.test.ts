import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { addresses } from '~/app/router'

import { pages } from '../browser/pages.ts'
import { scenes } from '../screenshots/scenes.ts'

const source = join(import.meta.dirname, '../../src')

// What stands in neither list is looked at by nobody: not by axe, not at 320 pixels, not in pictures.

test('every address of the router is among the pages or the scenes', () => {
  const seen = new Set([...pages.map((page) => page.path.replace(/\?.*/, '')), ...scenes.flatMap((scene) => scene.reaches ?? [])])
  const all = addresses()
  expect(all.length).toBeGreaterThan(10)
  expect(all.filter((address) => !seen.has(address))).toEqual([])
})

test('every file that opens a dialog has a scene', () => {
  const shown = new Set(scenes.flatMap((scene) => scene.shows ?? []))
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tsx') && !file.startsWith('ui/'))
  const opening = files.filter((file) => /<Dialog\b|Popover\.Root|AlertDialog|Menu\.Root/.test(readFileSync(join(source, file), 'utf8')))
  expect(opening.length).toBeGreaterThan(10)
  expect(opening.map((file) => file.replace('features/', '').replace('.tsx', '')).filter((file) => !shown.has(file))).toEqual([])
})
