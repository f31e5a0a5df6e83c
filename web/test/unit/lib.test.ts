import { describe, expect, test } from 'vitest'

import { collapse } from '~/lib/difference'
import { bytes, listed, plural, shortId } from '~/lib/format'
import { flatten } from '~/lib/inventory'
import { keyName } from '~/lib/keys'
import { matches } from '~/lib/match'
import { parsePreferences } from '~/lib/preferences'
import { duration, relative } from '~/lib/time'

describe('times', () => {
  test.each([
    [100, 100, 'now'],
    [100, 112, '12 s ago'],
    [0, 3_600 * 3 + 60, '3 h ago'],
    [172_800, 0, 'in 2 d'],
    [59, 0, 'in 59 s'],
  ])('%i seen at %i', (at, now, text) => expect(relative(at, now)).toBe(text))
  test('a length is rounded down', () => expect(duration(3_599)).toBe('59 min'))
  test('a length below nothing is nothing', () => expect(duration(-5)).toBe('0 s'))
})

describe('numbers and names', () => {
  test('one and many', () => expect([plural(1, 'endpoint'), plural(100_000, 'endpoint'), plural(2, 'person', 'people')]).toEqual(['1 endpoint', '100,000 endpoints', '2 people']))
  test('sizes', () => expect([bytes(412), bytes(2_150), bytes(180_000)]).toEqual(['412 B', '2.1 KiB', '176 KiB']))
  test('lists', () => expect([listed([]), listed(['a']), listed(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']))
  test('ids are cut only when they are long', () => expect([shortId('st_short'), shortId('st_6fjrl5fjabcdef')]).toEqual(['st_short', 'st_6fjrl5fj…']))
})

describe('differences', () => {
  const lines = (text: string) =>
    text.split('').map((sign, at) => ({ change: sign === '+' ? ('added' as const) : sign === '-' ? ('removed' as const) : ('same' as const), text: String(at) }))
  const shape = (text: string, around: number) => collapse(lines(text), around).map((part) => (part.kind === 'gap' ? `(${part.lines})` : part.line.text)).join(' ')
  test('far lines are left out', () => expect(shape('......+......', 2)).toBe('(4) 4 5 6 7 8 (4)'))
  test('a gap of one line is shown instead', () => expect(shape('+.....+', 2)).toBe('0 1 2 3 4 5 6'))
  test('nothing changed is one gap', () => expect(shape('....', 2)).toBe('(4)'))
  test('everything at once', () => expect(shape('..+..', Number.POSITIVE_INFINITY)).toBe('0 1 2 3 4'))
})

describe('inventories are hostile', () => {
  test('paths and values', () => expect(flatten({ os: { name: 'x' }, disks: [{ free: 1 }], empty: [] })).toEqual([{ path: 'os › name', value: 'x' }, { path: 'disks › 0 › free', value: '1' }, { path: 'empty', value: '[]' }]))
  test('depth has a limit', () => {
    let deep: unknown = 1
    for (let at = 0; at < 100_000; at += 1) deep = { a: deep }
    expect(flatten(deep)).toEqual([{ path: Array.from({ length: 12 }, () => 'a').join(' › '), value: 'nested too deeply to show' }])
  })
  test('number has a limit', () => expect(flatten(Array.from({ length: 20_000 }, () => 0))).toHaveLength(5_000))
  test('names of prototypes are names', () => expect(flatten(JSON.parse('{"__proto__":{"a":1}}'))).toEqual([{ path: '__proto__ › a', value: '1' }]))
})

describe('keys', () => {
  const key = (key: string, rest: Partial<KeyboardEvent> = {}) => keyName({ key, ctrlKey: false, metaKey: false, altKey: false, ...rest })
  test('names', () => expect([key('J'), key('k', { ctrlKey: true }), key('k', { metaKey: true }), key('Enter'), key('x', { altKey: true })]).toEqual(['j', 'mod+k', 'mod+k', 'Enter', 'alt+x']))
})

test('words of a search may come in any order', () => {
  expect(matches('Page Approvals', 'appr pa')).toBe(true)
  expect(matches('Page Approvals', 'appr x')).toBe(false)
})

describe('preferences are what anybody wrote there', () => {
  test.each([null, '', '{', '[]', '"x"', '{"theme":"<b>","columns":5}'])('%s', (text) => {
    expect(parsePreferences(text)).toEqual({ theme: 'system', singleKeys: true, columns: null })
  })
  test('known values are taken', () => expect(parsePreferences('{"theme":"dark","singleKeys":false}')).toMatchObject({ theme: 'dark', singleKeys: false }))
})
