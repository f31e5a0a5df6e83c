import { describe, expect, test } from 'vitest'

import type { InboxItem, Sheet, Signed } from '~/api/schema'
import { type Step, batchMax, largestBatch, signInTurn, toSign, whyNot } from '~/features/approvals/batch'

const item = (id: string, kind = 'job', disabled?: string): InboxItem => ({ id, kind, title: id, at: 0, signatures: [], who_else: '', verification: { verified: true }, ...(disabled ? { disabled } : {}) })

describe('what can be chosen together', () => {
  test('statements of one kind', () => expect(whyNot(item('b'), [item('a')])).toBeUndefined())
  test('not of two', () => expect(whyNot(item('b', 'bundle'), [item('a')])).toMatch(/by itself/))
  test('not what this operator cannot sign', () => expect(whyNot(item('b', 'job', 'You wrote it.'), [])).toBe('You wrote it.'))
  test('so many and no more', () => {
    const all = Array.from({ length: batchMax }, (_, at) => item(String(at)))
    expect(whyNot(item('x'), all.slice(1))).toBeUndefined()
    expect(whyNot(item('x'), all)).toMatch(/at a time/)
  })
})

describe('what the palette takes together', () => {
  const ids = (items: InboxItem[]) => largestBatch(items).map((one) => one.id)
  test('those of the kind that has most', () => expect(ids([item('b', 'bundle'), item('a'), item('c')])).toEqual(['a', 'c']))
  test('nothing that this operator cannot sign', () => expect(ids([item('a', 'job', 'You wrote it.'), item('b')])).toEqual(['b']))
  test('no more than one person reads', () => expect(ids(Array.from({ length: batchMax + 1 }, (_, at) => item(String(at))))).toHaveLength(batchMax))
  test('nothing of nothing', () => expect(ids([])).toEqual([]))
})

describe('signing one after the other', () => {
  const sheet = (id: string): Sheet => ({ token: `token of ${id}`, expires: 0, id, kind: 'job', role: 'approve', words: '', text: '', question: '', signatures: [], stages: [], notes: [] })
  const signed = (id: string): Signed => ({ id, kind: 'job', enough: true, text: '' })
  const run = async (ids: string[], fails: string[]) => {
    const tried: string[] = []
    const steps = new Map<string, Step>()
    const whole = await signInTurn(
      ids,
      sheet,
      async (made) => {
        tried.push(made.token)
        if (fails.includes(made.id)) throw new Error('the passkey was not used')
        return signed(made.id)
      },
      (id, step) => steps.set(id, step),
      () => ({ code: 'passkey.cancelled', message: 'not used', next: 'again' }),
    )
    return { whole, tried, states: Object.fromEntries([...steps].map(([id, step]) => [id, step.state])), steps }
  }
  test('each by its own sheet', async () => {
    const { whole, tried, states } = await run(['a', 'b'], [])
    expect({ whole, tried, states }).toEqual({ whole: true, tried: ['token of a', 'token of b'], states: { a: 'signed', b: 'signed' } })
  })
  test('stops at the first refusal, keeps what was signed, and does not touch the rest', async () => {
    const { whole, tried, states, steps } = await run(['a', 'b', 'c'], ['b'])
    expect({ whole, tried, states }).toEqual({ whole: false, tried: ['token of a', 'token of b'], states: { a: 'signed', b: 'refused' } })
    // Then the rest can go on, with those that are compared still.
    expect(toSign(['a', 'b', 'c'], steps, new Set(['a', 'c']))).toEqual(['c'])
    expect(toSign(['a', 'b', 'c'], steps, new Set(['a', 'b', 'c']))).toEqual(['b', 'c'])
  })
})
