import { expect, test } from 'vitest'

import type { Me, Overview, Trust } from '~/api/schema'
import { stepsOf } from '~/features/start/steps'

const nothing = { overview: undefined, trust: undefined, jobs: undefined, logs: undefined, control: undefined }
const me = { version: '0', standing: 'ready', pages: 1, organisation: { anchor: 'bz1-x', words: 'a b', bundle_version: 1, bundle_expires: 1 } } satisfies Me

function done(known: Partial<Parameters<typeof stepsOf>[0]>): string[] {
  return stepsOf({ me, ...nothing, ...known })
    .filter((step) => step.done)
    .map((step) => step.title)
}

test('nothing is done before there is an organisation', () => {
  expect(stepsOf({ me: { version: '0', standing: 'no_organisation', pages: 1 }, ...nothing }).some((step) => step.done)).toBe(false)
})

test('each step is done by what there is, whoever did it', () => {
  const person = { id: 'op_a', name: 'A', roles: [], keys: [], me: false }
  const trust = { operators: [person, person], root_threshold: 1, recovery_keys: [] } as unknown as Trust
  expect(done({ trust })).toEqual(['An organisation', 'A second person, so that one stolen key is not enough'])
  expect(done({ trust: { ...trust, root_threshold: 2, recovery_keys: ['SHA256:x'] } })).toContain('Two people change who may do what')
  expect(done({ overview: { endpoints: { total: 1 } } as Overview })).toContain('The first endpoint')
  expect(done({ control: [{ index: 0, kind: 'freeze', id: 'st_x', title: '', signatures: [] }] })).toHaveLength(1)
  expect(done({ control: [{ index: 1, kind: 'thaw', id: 'st_y', title: '', signatures: [] }] })).toContain('A freeze drill: stop everything, and go on')
})
