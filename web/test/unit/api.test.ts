import { describe, expect, test, vi } from 'vitest'

import { ApiProblem, answer, parseProblem, problemOf } from '~/api/client'
import { EventParser } from '~/api/event-parser'
import { parseNews, pause } from '~/api/events'
import { fromBase64Url, toBase64Url } from '~/api/passkey'
import { takeLaunchToken } from '~/api/session'
import { composeOf, emptyDraft, missing } from '~/features/run/draft'
import { chipsOf, parseFleetSearch, sortOf } from '~/features/fleet/search'
import { rangeOf } from '~/features/fleet/selection'
import { fileName } from '~/lib/save'
import { parseLogSearch } from '~/features/logs/search'

describe('events', () => {
  test('come in any pieces', () => {
    const parser = new EventParser()
    expect(parser.feed('data: {"a"')).toEqual([])
    expect(parser.feed(':1}\n')).toEqual([])
    expect(parser.feed('\ndata:two\r\n\r\n: a comment\n\n')).toEqual(['{"a":1}', 'two'])
  })
  test('have several lines', () => expect(new EventParser().feed('data: a\ndata: b\n\n')).toEqual(['a\nb']))
  test('have a limit', () => expect(() => new EventParser().feed('x'.repeat(5_000_000))).toThrow('too long'))
  test('that are none are passed over', () => expect([parseNews('{'), parseNews('5'), parseNews('{"x":1}')]).toEqual([undefined, undefined, undefined]))
  test('pauses grow to half a minute', () => expect([pause(0, 1), pause(3, 1), pause(50, 1)]).toEqual([500, 4_000, 30_000]))
})

describe('answers', () => {
  const response = new Response(null, { status: 422 })
  test('a refusal is an error with what to do', async () => {
    const refused = answer(Promise.resolve({ error: { code: 'class.cap', message: 'too many', next: 'split it' }, response }))
    await expect(refused).rejects.toMatchObject({ code: 'class.cap', next: 'split it', status: 422 })
  })
  test('anything else still says something', () => expect(parseProblem('<html>', 502).code).toBe('console.answer'))
  test('a process that is gone is said to be', async () => {
    await expect(answer(Promise.reject(new TypeError('fetch failed')))).rejects.toMatchObject({ code: 'console.unreachable', status: 0 })
  })
  test('a passkey that was not touched is no crash', () => {
    expect(problemOf(new DOMException('no', 'NotAllowedError')).code).toBe('passkey.cancelled')
    expect(problemOf(new ApiProblem({ code: 'a', message: 'b', next: 'c' }, 409))).toEqual({ code: 'a', message: 'b', next: 'c' })
  })
  test('bytes go both ways', () => expect([toBase64Url(fromBase64Url('-_8A').buffer), toBase64Url(fromBase64Url('-_8').buffer)]).toEqual(['-_8A', '-_8']))
})

describe('the launch token', () => {
  test('leaves the address', () => {
    const replace = vi.spyOn(history, 'replaceState')
    location.hash = '#launch=abc_-9'
    expect(takeLaunchToken()).toBe('abc_-9')
    expect(replace).toHaveBeenCalled()
    location.hash = '#launch=<b>'
    expect(takeLaunchToken()).toBeUndefined()
  })
})

describe('addresses', () => {
  test('of the fleet take what is known', () => {
    expect(parseFleetSearch({ q: 'web', state: 'connected', sort: 'evil', desc: 'x', tenant: 5 })).toEqual({ q: 'web', state: 'connected', tenant: '5' })
  })
  test('sorting turns round at the second press', () => {
    expect(sortOf({}, 'hostname')).toEqual({ sort: 'hostname', desc: true })
    expect(sortOf({ sort: 'os', desc: true }, 'os')).toEqual({ sort: 'os', desc: undefined })
    expect(sortOf({ sort: 'os' }, 'last_seen')).toEqual({ sort: 'last_seen', desc: undefined })
  })
  test('a tenant without its site', () => expect(chipsOf({ tenant: 'acme', site: 'hq' }).map((chip) => chip.name)).toEqual(['tenant acme', 'site hq']))
  test('an index of the log is a whole number', () => {
    expect([parseLogSearch({ index: 3 }).index, parseLogSearch({ index: -1 }).index, parseLogSearch({ index: 'a' }).index]).toEqual([3, undefined, undefined])
  })
  test('Shift chooses everything since the last', () => expect([rangeOf(5, true, 2), rangeOf(2, true, 4), rangeOf(3, false, 1)]).toEqual([[2, 3, 4, 5], [2, 3, 4], [3]]))
})

describe('the run form', () => {
  const draft = { ...emptyDraft, on: ['ep_1'], title: ' T ', script: '#!/bin/sh\necho hi\n' }
  test('says what lacks', () => {
    expect(missing({ ...draft, on: [] })).toMatch(/endpoint/)
    expect(missing({ ...draft, title: ' ' })).toMatch(/title/)
    expect(missing({ ...draft, script: emptyDraft.script })).toMatch(/nothing/)
    expect(missing(draft)).toBeUndefined()
  })
  test('leaves out what is empty', () => {
    const body = composeOf({ ...draft, args: 'one\n\ntwo words\n' })
    expect(body).toMatchObject({ title: 'T', args: ['one', 'two words'] })
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['class', 'stages', 'run_as']))
  })
})

test.each([['../../etc/passwd', '_.._etc_passwd'], ['.bashrc', 'bashrc'], ['', 'file'], ['a b\u202e.sig', 'a_b_.sig']])('the file %s is saved as %s', (name, safe) => {
  expect(fileName(name)).toBe(safe)
})
