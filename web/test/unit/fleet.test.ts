import { describe, expect, test } from 'vitest'

import type { SavedView } from '~/api/schema'
import { exportPath, rowsOf } from '~/features/fleet/exporting'
import { allColumns, columnsOf, isShownAs, parseFleetSearch, searchOf, viewOf } from '~/features/fleet/search'

describe('columns', () => {
  test('come in the order somebody chose', () => expect(columnsOf(['id', 'name', 'site'])).toEqual(['id', 'name', 'site']))
  test('are known ones, each once', () => expect(columnsOf(['name', 'secret', 'name', 'id'])).toEqual(['name', 'id']))
  test('always have the name', () => expect(columnsOf(['id'])).toEqual(['name', 'id']))
  test.each([[null], [undefined], [[]], [['odd']]])('%j are the usual ones', (names) => expect(columnsOf(names)).toBeUndefined())
})

describe('a view', () => {
  const kept: SavedView = { name: 'Away', search: 'ws', tenant: 'acme', site: null, state: 'away', sort: 'last_seen', descending: true, columns: ['last_heard', 'name'] }
  const search = searchOf(kept)
  test('is an address', () => expect(parseFleetSearch(JSON.parse(JSON.stringify(search)))).toEqual({ ...search }))
  test('goes there and back', () => expect(viewOf('Away', search, search.cols ?? allColumns)).toEqual(kept))
  test('is shown as it was kept', () => expect(isShownAs(kept, search, ['last_heard', 'name'])).toBe(true))
  test.each([{ q: 'srv' }, { state: undefined }, { desc: undefined }, { sort: undefined }, { tenant: 'birch' }])('is another one with %j', (change) =>
    expect(isShownAs(kept, { ...search, ...change }, ['last_heard', 'name'])).toBe(false),
  )
  test('is another one with other columns', () => expect(isShownAs(kept, search, ['name', 'last_heard'])).toBe(false))
  test('of nothing is all endpoints with the usual columns', () => expect(isShownAs({ name: 'All', descending: false }, { sort: 'hostname' }, allColumns)).toBe(true))
})

describe('the list as a file', () => {
  test('asks for all rows of what is shown', () =>
    expect(exportPath({ q: 'a&b', state: 'away', desc: true, view: 'x' }, ['id', 'name'])).toBe('/api/v1/endpoints/export?columns=id%2Cname&search=a%26b&state=away&descending=true'))
  test.each([
    ['', 0],
    ['name\r\n', 0],
    ['name\r\na\r\nb\r\n', 2],
  ])('%j has %i rows', (text, rows) => expect(rowsOf(text)).toBe(rows))
})
