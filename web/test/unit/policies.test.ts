import { expect, test } from 'vitest'

import type { PolicyItem } from '~/api/schema'
import { byPlace, isInForce } from '~/features/policies/places'
import { parseWriteSearch } from '~/features/policies/search'

const policy = (name: string, version: number, place: Partial<PolicyItem['place']> = {}): PolicyItem => ({ id: `${name} ${version}`, name, version, title: '', place: { words: JSON.stringify(place), ...place }, checks: 1, state: 'active', until: 1, at: 1, verification: { verified: true } })

test('policies stand by place, the widest first, and of a name the newest first', () => {
  const groups = byPlace([
    policy('web', 1, { tenant: 'birch', site: 'office' }),
    policy('defaults', 1),
    policy('one', 1, { tenant: 'acme', endpoint: 'ep_a' }),
    policy('defaults', 2),
    policy('acme', 1, { tenant: 'acme' }),
    policy('hq', 1, { tenant: 'acme', site: 'hq' }),
  ])
  expect(groups.map((group) => [group.depth, group.policies.map((one) => one.id)])).toEqual([
    [0, ['defaults 2', 'defaults 1']],
    [1, ['acme 1']],
    [2, ['hq 1']],
    [3, ['one 1']],
    [2, ['web 1']],
  ])
})

test('what is over is not in force', () => {
  expect(['active', 'pending', 'replaced', 'withdrawn', 'over', 'odd'].filter((state) => isInForce({ state }))).toEqual(['active', 'pending'])
  expect(parseWriteSearch({ tenant: 'acme', from: 5, more: 1 })).toEqual({ tenant: 'acme', from: '5' })
})
