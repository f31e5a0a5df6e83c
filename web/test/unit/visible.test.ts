import { describe, expect, test } from 'vitest'

import { visiblePieces, visibleText } from '~/lib/visible'

describe('text of others', () => {
  const check = (text: string, shown: string) => expect(visibleText(text)).toBe(shown)

  test('terminal escapes are marks', () => check('\u001b[31mred\u0007', 'ESC[31mredBEL'))
  test('a name cannot turn round what follows', () => check('web\u202egnp.exe', 'webU+202Egnp.exe'))
  test('isolates and zero-width characters are marks', () => check('\u2066a\u2069\u200b', 'U+2066aU+2069U+200B'))
  test('tags, private use and unassigned are marks', () => check('\u{e0041}\ue000\u0378', 'U+E0041U+E000U+0378'))
  test('a lone surrogate is a mark', () => check('a\ud800b', 'aU+D800b'))
  test('blank letters are marks', () => check('a\u3164\u2800', 'aU+3164U+2800'))
  test('line feeds are marks in a line', () => check('a\nb\rc', 'aLFbCRc'))
  test('accents, other scripts and emoji stay', () => check('Zoë שלום 漢字 🏰', 'Zoë שלום 漢字 🏰'))

  test('line feeds and tabs stay in a text of lines, and nothing else does', () => {
    expect(visibleText('a\n\tb\u001b', { multiline: true })).toBe('a\n\tbESC')
  })
  test('a mark says its name', () => {
    expect(visiblePieces('\u202e')).toEqual([{ kind: 'control', code: 0x202e, mark: 'U+202E', name: 'U+202E RIGHT-TO-LEFT OVERRIDE' }])
  })
})
