import { expect, test } from 'vitest'

import type { AlertItem } from '~/api/schema'
import { chipsOf, filtersOf, parseAlertsSearch } from '~/features/alerts/search'
import { awayEndpoints, selectionMax, toggled } from '~/features/alerts/selection'
import { emptyForm, placeOf, standingOf, windowOf } from '~/features/alerts/windows'

const alert = (id: string, more: Partial<AlertItem> = {}): AlertItem => ({ id, state: 'open', severity: 'error', check: 'link', instance: '', text: '', since: 1, changed: 2, hidden: 0, flapping: false, ...more })

test('an address holds what is known and nothing else', () => {
  expect(parseAlertsSearch({ state: 'active', severity: 'mild', q: 7, hidden: 'yes' })).toEqual({ q: '7' })
  expect(filtersOf(parseAlertsSearch({ state: 'open', severity: 'error', tenant: 'acme', hidden: true, more: 1 }))).toEqual({ state: 'open', severity: 'error', tenant: 'acme', hidden: true })
  expect(chipsOf({ tenant: 'acme', site: 'hq' })[0]?.without).toEqual({ tenant: undefined, site: undefined })
})

test('rows come in and out, and never more than can be acted on', () => {
  const one = toggled(new Map(), [alert('a'), alert('b')], false)
  expect([...one.keys()]).toEqual(['a', 'b'])
  expect([...toggled(one, [alert('a')], false).keys()]).toEqual(['b'])
  expect([...toggled(one, [alert('a'), alert('c')], true).keys()]).toEqual(['a', 'b', 'c'])
  const many = Array.from({ length: selectionMax + 1 }, (_, at) => alert(String(at)))
  expect(toggled(new Map(), many.slice(0, selectionMax), true).size).toBe(selectionMax)
  expect(toggled(new Map(), many, true).size).toBe(selectionMax)
})

test('only endpoints that are away are waited for, each once', () => {
  const rows = [alert('a', { endpoint: 'ep_1' }), alert('b', { endpoint: 'ep_1' }), alert('c', { endpoint: 'ep_2', state: 'resolved' }), alert('d', { endpoint: 'ep_3', check: 'disk' }), alert('e')]
  expect(awayEndpoints(rows)).toEqual(['ep_1'])
})

test('a window says what is missing before anybody sends it', () => {
  const now = 1_800_000_000
  const form = { ...emptyForm('Europe/Berlin'), name: ' patch ' }
  expect(windowOf({ ...form, name: ' ' }, now)).toMatch(/name/)
  expect(windowOf({ ...form, tenant: ' acme ' }, now)).toEqual({ name: 'patch', tenant: 'acme', from: now, until: now + 7_200 })
  expect(windowOf({ ...form, hours: '168' }, now)).toMatchObject({ until: now + 604_800 })
  for (const hours of ['169', '0', '', '-1', 'x']) expect(windowOf({ ...form, hours }, now)).toMatch(/week/)
  const once = { ...form, how: 'once' as const, from: '2027-02-01T10:00', until: '2027-02-01T12:00' }
  expect(windowOf(once, now)).toMatchObject({ name: 'patch' })
  expect(windowOf({ ...once, until: '2027-02-01T10:00' }, now)).toMatch(/before/)
  expect(windowOf({ ...once, from: '' }, now)).toMatch(/begins/)
  expect(windowOf(once, 1_900_000_000)).toMatch(/over/)
  const again = { ...form, how: 'again' as const }
  expect(windowOf({ ...again, cron: ' 0  3 * * 0 ' }, now)).toEqual({ name: 'patch', cron: '0 3 * * 0', zone: 'Europe/Berlin', minutes: 120 })
  expect(windowOf({ ...again, cron: '0 3 * *' }, now)).toMatch(/Five/)
  for (const minutes of ['0', '10081', '1.5']) expect(windowOf({ ...again, minutes }, now)).toMatch(/whole number/)
  expect(windowOf({ ...again, zone: ' ' }, now)).toMatch(/zone/)
})

test('how a window stands, and for whom it is', () => {
  const once = { name: 'x', from: 10, until: 20 }
  expect([9, 10, 19, 20].map((now) => standingOf(once, now))).toEqual(['later', 'now', 'now', 'over'])
  expect(standingOf({ name: 'x', cron: '0 3 * * 0', zone: 'UTC', minutes: 5 }, 10)).toBe('again')
  expect(placeOf({ name: 'x' })).toBe('everything')
  expect(placeOf({ name: 'x', tenant: 'acme', check: 'disk*' })).toBe('tenant acme, check disk*')
})
