import type { SignableAction } from '~/api/actions'
import type { CheckResult, PolicyItem } from '~/api/schema'

import { Refused, absent, requireServer } from './handlers'
import { hostileNames } from './hostile'
import type { MakeSheet } from './signing'
import type { Handlers } from './transport'
import { type World, alice } from './world'

type Routes = '/api/v1/policies' | '/api/v1/policies/verdict' | '/api/v1/policies/{id}' | '/api/v1/endpoints/{id}/checks'

const defaults = `name = "defaults"
title = "Useful everywhere"

[[check]]
id = "disk"
kind = "disk"
below = { warn = 10, error = 5 }

[[check]]
id = "memory"
kind = "memory"
above = { warn = 90 }
`

/** Of the organisation, a tenant, a site and one endpoint; one waits, one was replaced. */
export function policyBook(world: World, start: number): PolicyItem[] {
  const row = world.endpoints.find((one) => one.tenant === 'acme')
  const item = (name: string, more: Partial<PolicyItem>): PolicyItem => ({ id: world.random.id('st'), name, version: 1, title: 'Useful everywhere', place: { words: 'every endpoint of the organisation' }, checks: 8, state: 'active', until: start + 80 * 86_400, at: start - 10 * 86_400, verification: { verified: true }, ...more })
  return [
    item('defaults', { version: 2 }),
    item('defaults', { state: 'replaced', at: start - 40 * 86_400 }),
    item('web', { title: 'Web servers', checks: 3, place: { words: 'site hq of tenant acme', tenant: 'acme', site: 'hq' } }),
    item('backup', { title: 'Backups of last night', checks: 1, state: 'pending', place: { words: 'tenant acme', tenant: 'acme' }, verification: { verified: false, problem: 'sig.approvals_missing' } }),
    ...(row ? [item('files', { title: hostileNames[0], checks: 2, place: { words: `${row.id} of tenant acme`, tenant: 'acme', endpoint: row.id } })] : []),
  ]
}

function textOf(policy: PolicyItem): string {
  return `POLICY  ${policy.name} version ${policy.version}: ${policy.title}\nclass   observe\nwhere   ${policy.place.words}\nuntil   in 80 days\nwhat    MONITORING; it reads, and starts or changes nothing\ncheck   disk: room left warn at most 10, error at most 5 % on every disk; every 1 min, bad after 2 looks\ncheck   memory: memory in use warn from 90 %; every 1 min, bad after 2 looks\n`
}

export function policyHandlers(world: World): Pick<Handlers, Routes> {
  return {
    '/api/v1/policies': {
      get: () => {
        requireServer(world)
        return { policies: world.policies, defaults }
      },
    },
    '/api/v1/policies/verdict': {
      post: ({ body }) => {
        requireServer(world)
        const who_else = 'nobody else'
        const wrong = (message: string) => ({ who_else, problem: { code: 'usage', message, next: 'see `docs/guide/monitoring.md`' } })
        const name = /^name = "([^"]+)"$/m.exec(body.source)?.[1]
        if (!name) return wrong('missing field `name`')
        if (body.site && !body.tenant) return wrong('a site needs its tenant')
        if ((body.days ?? 90) > 400) return wrong('the bundle lets policies last for at most 400 days')
        const unknown = /^kind = "(magic)"$/m.exec(body.source)
        if (unknown) return wrong('check `disk`: unknown variant `magic`')
        const words = body.endpoint ? body.endpoint : body.site ? `site ${body.site} of tenant ${body.tenant}` : body.tenant ? `tenant ${body.tenant}` : 'every endpoint of the organisation'
        const before = world.policies.find((one) => one.name === name && one.place.words === words)
        return { who_else, text: textOf({ ...(before ?? world.policies[0] ?? empty), name, version: (before?.version ?? 0) + 1, title: /^title = "([^"]+)"$/m.exec(body.source)?.[1] ?? '', place: { words } }) }
      },
    },
    '/api/v1/endpoints/{id}/checks': {
      get: ({ path }) => {
        requireServer(world)
        const row = world.byId.get(path.id)
        if (!row) throw absent('endpoint')
        const [general, , web, waits] = world.policies
        if (!general || !web || !waits || row.state === 'quarantined') return { running: [], passed_over: [], not_there: [], other: [] }
        const odd = hostileNames.includes(row.hostname) ? row.hostname : undefined
        const result = (check: string, instance: string, state: string, text: string): CheckResult => ({ check, instance, state, text: odd ?? text, since: world.started - 9_000, at: world.started - 40 })
        return {
          running: [
            { id: 'disk', words: 'disk: room left warn at most 10, error at most 5 % on every disk; every 1 min, bad after 2 looks', because: 'policy defaults version 2 for every endpoint of the organisation', policy: general.id, results: [result('disk', '/', 'ok', '31 % left'), result('disk', odd ?? '/var', 'error', '3 % of 120 GiB left')] },
            { id: 'memory', words: 'memory: memory in use warn from 90 %; every 1 min, bad after 2 looks', because: 'policy defaults version 2 for every endpoint of the organisation', policy: general.id, results: [] },
          ],
          passed_over: [{ words: 'load: load for each processor warn from 200 %; every 1 min', why: 'policy defaults version 2 for every endpoint of the organisation names it, and policy web version 1 for site hq of tenant acme leaves it out', policy: general.id }],
          not_there: [{ words: waits.name, why: 'sig.approvals_missing: more people must sign it', policy: waits.id }],
          other: odd ? [result(odd.slice(0, 64), odd, odd, odd)] : [],
        }
      },
    },
    // After the others: a path of words is not an id.
    '/api/v1/policies/{id}': {
      get: ({ path }) => {
        requireServer(world)
        const policy = world.policies.find((one) => one.id === path.id)
        if (!policy) throw absent('policy')
        const members = world.endpoints.filter((row) => row.state !== 'quarantined' && (!policy.place.tenant || row.tenant === policy.place.tenant) && (!policy.place.site || row.site === policy.place.site) && (!policy.place.endpoint || row.id === policy.place.endpoint))
        return {
          policy,
          text: textOf(policy),
          source: defaults.replace('"defaults"', `"${policy.name}"`),
          signatures: [alice],
          targets: members.slice(0, 60).map((row, at) => ({ endpoint: row.id, hostname: row.hostname, state: row.state === 'away' ? 'on its way' : at === 1 ? 'refused' : 'stands', ...(at === 1 ? { code: 'policy.old', next: 'sign a later version' } : {}) })),
          targets_total: members.length,
          approve_disabled: policy.state === 'pending' ? null : 'Enough people have signed it.',
          withdraw_disabled: policy.state === 'withdrawn' ? 'It was taken back already.' : null,
        }
      },
    },
  }
}

const empty: PolicyItem = { id: '', name: '', version: 0, title: '', place: { words: '' }, checks: 0, state: 'active', until: 0, at: 0, verification: { verified: true } }

type Sheets = '/api/v1/sheets/policy' | '/api/v1/sheets/policy-approval' | '/api/v1/sheets/policy-withdrawal'

export function policySheets(world: World, sheet: MakeSheet): Pick<Handlers, Sheets> {
  const find = (id: string) => {
    const policy = world.policies.find((one) => one.id === id)
    if (!policy) throw absent('policy')
    return policy
  }
  const base = () => ({ id: world.random.id('st'), words: world.random.words(), class: 'observe', who_else: 'nobody else', notes: ['It reads, and starts or changes nothing.'] })
  return {
    '/api/v1/sheets/policy': {
      post: ({ body }) => {
        const verdict = policyHandlers(world)['/api/v1/policies/verdict'].post({ body, path: {}, query: undefined as never })
        if (!verdict.text) throw new Refused(400, 'usage', verdict.problem?.message ?? '', verdict.problem?.next ?? '')
        return sheet({ kind: 'policy', body }, { ...base(), kind: 'policy', role: 'author', text: verdict.text, question: 'Sign this policy?' })
      },
    },
    '/api/v1/sheets/policy-approval': {
      post: ({ body }) => {
        const policy = find(body.id)
        return sheet({ kind: 'policy_approval', body }, { ...base(), id: policy.id, kind: 'policy', role: 'approve', text: textOf(policy), question: 'Compare the words with the author. Sign as approver?', signatures: [alice] })
      },
    },
    '/api/v1/sheets/policy-withdrawal': {
      post: ({ body }) => sheet({ kind: 'policy_withdrawal', body }, { ...base(), kind: 'withdrawal', role: 'freeze', text: `WITHDRAWAL\npolicy  ${find(body.id).id}\n`, question: 'Take it back for good?' }),
    },
  }
}

/** What a signature under one of these sheets does. */
export function actOnPolicy(world: World, action: Extract<SignableAction, { kind: 'policy' | 'policy_approval' | 'policy_withdrawal' }>, id: string): string {
  if (action.kind === 'policy') {
    const { body } = action
    const name = /^name = "([^"]+)"$/m.exec(body.source)?.[1] ?? ''
    const words = body.endpoint ?? (body.site ? `site ${body.site} of tenant ${body.tenant}` : body.tenant ? `tenant ${body.tenant}` : 'every endpoint of the organisation')
    const same = world.policies.filter((one) => one.name === name && one.place.words === words)
    for (const one of same) one.state = 'replaced'
    const place = { words, ...(body.tenant ? { tenant: body.tenant } : {}), ...(body.site ? { site: body.site } : {}), ...(body.endpoint ? { endpoint: body.endpoint } : {}) }
    world.policies.unshift({ ...empty, id, name, version: Math.max(0, ...same.map((one) => one.version)) + 1, title: /^title = "([^"]+)"$/m.exec(body.source)?.[1] ?? '', place, checks: body.source.split('[[check]]').length - 1, at: world.now(), until: world.now() + (body.days ?? 90) * 86_400 })
    return 'Endpoints of its place take it in.'
  }
  const policy = world.policies.find((one) => one.id === action.body.id)
  if (policy) Object.assign(policy, action.kind === 'policy_approval' ? { state: 'active', verification: { verified: true } } : { state: 'withdrawn' })
  return action.kind === 'policy_approval' ? 'Endpoints of its place take it in.' : 'It ends everywhere, for good.'
}
