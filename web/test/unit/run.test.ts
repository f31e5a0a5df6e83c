import { describe, expect, test } from 'vitest'

import type { LibraryScript } from '~/api/schema'
import { composeOf, draftOf, emptyDraft, missing, previewOf } from '~/features/run/draft'
import { cronOf, emptyStanding, missingOfStanding, triggerOf } from '~/features/run/standing'
import { emptyScript, missingOf, nameFor, toKeep } from '~/features/scripts/form'

const kept: LibraryScript = {
  about: { name: 'clear', title: 'Clear', interpreter: 'bash', timeout_s: 60, destructive: true, run_as: 'www-data', parameters: [{ name: 'DAYS', about: 'How old', value: '14' }, { name: 'EMPTY' }] },
  versions: [{ sha256: 'ab', size: 7, at: 1, reviews: [] }],
}
const draft = { ...emptyDraft, on: ['tenant:acme'], ...draftOf(kept, { sha256: 'ab', size: 7 }, 'echo 1\n') }

describe('a script of the library', () => {
  test('fills the form, with its usual values', () => expect(composeOf(draft)).toMatchObject({ title: 'Clear', interpreter: 'bash', timeout_s: 60, destructive: true, run_as: 'www-data', env: [{ name: 'DAYS', value: '14' }] }))
  test('is previewed in exactly the form that would be signed', () =>
    expect(previewOf(draft).script).toEqual({ sha256: 'ab', size: 7, interpreter: 'bash', args: [], env: [{ name: 'DAYS', value: '14' }], run_as: 'www-data' }))
  test('is another script once its text is changed', () => expect(previewOf({ ...draft, script: 'echo 2\n' }).script).toBeUndefined())
})

describe('keeping a script', () => {
  test.each([
    ['Clear the cache', 'clear-the-cache'],
    [' Größe (MB)! ', 'gro-e-mb'],
    ['!!', ''],
  ])('%s is called %j', (title, name) => expect(nameFor(title)).toBe(name))
  test('needs a title and a text', () => expect([missingOf(emptyScript), missingOf({ ...emptyScript, title: 'X', text: ' ' }), missingOf({ ...emptyScript, title: 'X' })]).toEqual([expect.any(String), expect.any(String), undefined]))
  test('parameters are called like variables', () => {
    const called = (name: string) => missingOf({ ...emptyScript, title: 'X', parameters: [{ name, about: '', value: '' }] })
    expect([called('DAYS_2'), called(''), called('2X'), called('A B')]).toEqual([undefined, undefined, expect.any(String), expect.any(String)])
  })
  test('keeps its name when its title changes', () => expect(toKeep({ ...emptyScript, name: 'old', title: 'New' }).about.name).toBe('old'))
})

describe('a standing order', () => {
  test('its calendar is the time and the days, or what is written', () => {
    expect(cronOf({ ...emptyStanding, hour: 3, minute: 5, days: '1-5' })).toBe('5 3 * * 1-5')
    expect(cronOf({ ...emptyStanding, cron: ' */5  * * * * ' })).toBe('*/5 * * * *')
  })
  test('what is empty is as usual', () => expect(triggerOf({ ...emptyStanding, kind: 'start' })).toEqual({ on: { kind: 'start' }, until_s: 2_592_000, alone_s: 604_800 }))
  test('only schedules have a time to be late for', () => {
    expect(triggerOf({ ...emptyStanding, kind: 'interval', lateS: 300, jitterS: 60 })).toMatchObject({ late_s: 300, jitter_s: 60 })
    expect(triggerOf({ ...emptyStanding, kind: 'reboot_pending', lateS: 300, jitterS: 60 })).not.toHaveProperty('late_s')
  })
  test('rates and distances are numbers or left out', () => {
    expect(triggerOf({ ...emptyStanding, runs: '4', perS: 3600, distanceS: '90' })).toMatchObject({ rate: { runs: 4, per_s: 3600 }, distance_s: 90 })
    expect(triggerOf({ ...emptyStanding, runs: 'x', distanceS: ' ' })).not.toHaveProperty('rate')
  })
  test('says what lacks', () => {
    expect(missingOfStanding({ ...emptyStanding, kind: 'service_down' })).toMatch(/service/)
    expect(missingOfStanding({ ...emptyStanding, kind: 'file_changed', path: 'etc' })).toMatch(/slash/)
    expect(missing({ ...draft, stands: true, standing: { ...emptyStanding, kind: 'ended' } })).toMatch(/order/)
  })
  test('is in what is asked and in what is signed', () => {
    const standing = { ...draft, stands: true }
    expect([previewOf(standing).trigger, composeOf(standing).trigger]).toEqual([triggerOf(emptyStanding), triggerOf(emptyStanding)])
    expect(composeOf(draft)).not.toHaveProperty('trigger')
  })
})
