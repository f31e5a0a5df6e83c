import type { Compose, EndpointRow, PlannedStage, Preview, Sheet, SignedBy } from '~/api/schema'

import type { SignableAction } from '~/api/actions'
import { founded, foundingHandlers } from './founding'
import { Refused, absent, freezeRow, requireServer, waitingItems } from './handlers'
import { jobText } from './jobs'
import { startsOf } from './orders'
import { actOnPolicy, policySheets } from './policies'
import { runJob, tellControl, tellJobs } from './progress'
import type { Handlers } from './transport'
import { type Job, type World, addJob, alice, bob, fleetStages } from './world'

/** Endpoints that targets name, of one tenant. */
function resolve(world: World, on: readonly string[]): EndpointRow[] {
  requireServer(world)
  const found = new Set<EndpointRow>()
  for (const one of on) {
    const [kind, name] = one.split(':')
    const rows = world.endpoints.filter((row) => {
      if (row.state === 'quarantined') return false
      if (one === 'all') return true
      if (kind === 'tenant') return row.tenant === name
      if (kind === 'site') return row.site === name
      return row.id === one || row.hostname === one
    })
    if (rows.length === 0) throw new Refused(422, 'target.unknown', `no endpoint is called \`${one}\`, or it is in quarantine`, 'choose it from the list of the fleet')
    for (const row of rows) found.add(row)
  }
  const tenants = new Set([...found].map((row) => row.tenant))
  if (tenants.size > 1) throw new Refused(422, 'target.several_tenants', `these endpoints belong to ${tenants.size} tenants`, 'a job belongs to one tenant: choose endpoints of one')
  return [...found]
}

function plan(world: World, on: readonly string[], destructive: boolean, wanted: string | null | undefined, sha256?: string): Preview {
  const review = world.scripts.flatMap((one) => one.versions).find((version) => version.sha256 === sha256)?.reviews[0]
  const rows = resolve(world, on)
  const order = ['routine', 'change', 'fleet']
  const derived = destructive || rows.length > 500 ? 'fleet' : rows.length > (review ? 50 : 10) ? 'change' : 'routine'
  const klass = order[Math.max(order.indexOf(derived), order.indexOf(wanted ?? 'routine'))] ?? derived
  const needed = klass === 'routine' ? 0 : 1
  const stages: PlannedStage[] = klass === 'fleet' ? fleetStages(rows.length) : [{ name: 'all', count: rows.length, soak_s: 0 }]
  return {
    tenant: rows[0]?.tenant ?? '', endpoints: rows.length, class: klass, approvals_needed: needed,
    who_else: needed === 0 ? 'you alone sign it' : 'you and 1 more person sign it', stages, ...(review ? { review } : {}), ran_everywhere: review !== undefined && rows.length > 10 && rows.length <= 50,
  }
}

function signatureOf(world: World, role: string): SignedBy {
  return { ...world.person, role }
}

export function signingHandlers(world: World) {
  const sheet = (action: SignableAction, made: Omit<Sheet, 'token' | 'expires' | 'signatures' | 'stages' | 'notes'> & Partial<Pick<Sheet, 'signatures' | 'stages' | 'notes'>>): Sheet => {
    if (action.kind !== 'genesis' && action.kind !== 'countersign' && action.kind !== 'join') requireServer(world)
    const token = world.random.hex(16)
    world.sheets.set(token, { action, id: made.id, words: made.words })
    return { signatures: [], stages: [], notes: [], ...made, token, expires: world.now() + 900 }
  }
  // A test says which signature from now on is refused.
  let asked = 0
  let refuseAt = 0
  globalThis.document?.addEventListener('mock:refuse', (event) => {
    asked = 0
    refuseAt = event instanceof CustomEvent ? Number(event.detail) : 0
  })
  // The other one of two people sits down at this page.
  globalThis.document?.addEventListener('mock:other-person', () => {
    world.person = world.person === bob ? alice : bob
    tellJobs(world)
    tellControl(world)
  })
  const routes: Pick<
    Handlers,
    | '/api/v1/preview' | '/api/v1/approvals' | '/api/v1/sign' | '/api/v1/sheets/job' | '/api/v1/sheets/approval' | '/api/v1/sheets/promotion'
    | '/api/v1/sheets/enrolment' | '/api/v1/sheets/login' | '/api/v1/sheets/freeze' | '/api/v1/sheets/thaw' | '/api/v1/sheets/veto' | '/api/v1/sheets/withdrawal' | '/api/v1/freezes' | '/api/v1/freezes/{id}'
  > = {
    '/api/v1/preview': { post: ({ body }) => plan(world, body.on, body.destructive ?? false, body.class, body.script?.sha256) },
    '/api/v1/approvals': {
      get: () => {
        requireServer(world)
        return { items: waitingItems(world), left_off: 0 }
      },
    },
    '/api/v1/sheets/job': { post: ({ body }) => jobSheet(world, sheet, body) },
    '/api/v1/sheets/approval': { post: ({ body }) => approvalSheet(world, sheet, body.id) },
    '/api/v1/sheets/promotion': {
      post: ({ body }) => {
        const job = findJob(world, body.job)
        const next = job.stages[job.promoted + 1]
        if (!next) throw new Refused(409, 'promotion.nothing', 'every stage may begin already', 'look at the roll-out')
        const text = `PROMOTION\njob     ${job.row.id}\nstage   ${next.name}, ${next.count} endpoint(s)\nevidence 3 done, 0 failed, 0 refused\n`
        return sheet({ kind: 'promotion', body }, { id: world.random.id('st'), kind: 'promotion', role: 'promote', words: world.random.words(), text, question: `Let stage ${next.name} of “${job.row.title}” begin?`, tenant: job.tenant, class: job.row.class, endpoints: next.count })
      },
    },
    '/api/v1/sheets/freeze': {
      post: ({ body }) => {
        const seconds = body.seconds ?? 4 * 3600
        const text = `FREEZE\nscope   ${body.scope}\nfor     ${seconds / 3600} h\nwhy     ${body.reason ?? ''}\n`
        return sheet({ kind: 'freeze', body }, {
          id: world.random.id('st'), kind: 'freeze', role: 'freeze', words: world.random.words(), text, question: `Freeze ${body.scope === 'org' ? 'everything' : body.scope}?`, until: world.now() + seconds,
          who_else: seconds > 4 * 3600 ? 'it waits until 1 more person signs' : 'nobody: it acts at once',
        })
      },
    },
    '/api/v1/sheets/thaw': {
      post: ({ body }) => {
        const freeze = world.freezes.find((one) => one.id === body.id)
        if (!freeze) throw absent('freeze')
        return sheet({ kind: 'thaw', body }, { id: world.random.id('st'), kind: 'thaw', role: 'freeze', words: world.random.words(), text: `THAW\nfreeze  ${freeze.id}\nscope   ${freeze.scope}\n`, question: 'End this freeze?', who_else: '1 more person' })
      },
    },
    '/api/v1/sheets/enrolment': {
      post: ({ body }) => {
        const text = `ENROLMENT\ntenant  ${body.tenant}\nsite    ${body.site}\nuses    ${body.uses ?? 10}\n`
        return sheet({ kind: 'enrolment', body }, { id: world.random.id('st'), kind: 'enrolment', role: 'enroll', words: world.random.words(), text, question: `Let ${body.uses ?? 10} endpoints of ${body.tenant} in?`, tenant: body.tenant, until: world.now() + (body.expires_s ?? 604_800), who_else: 'nobody: it is good at once' })
      },
    },
    '/api/v1/sheets/login': {
      post: () => sheet({ kind: 'login' }, { id: world.random.id('st'), kind: 'login', role: 'login', words: world.random.words(), text: 'LOGIN\nuntil   in 12 h\n', question: 'Log this console in?' }),
    },
    '/api/v1/sheets/veto': {
      post: ({ body }) => {
        const bundle = world.pending.find((one) => one.id === body.id)
        if (!bundle) throw absent('bundle')
        return sheet({ kind: 'veto', body }, { id: world.random.id('st'), kind: 'veto', role: 'root', words: world.random.words(), text: `VETO\nbundle  ${bundle.id}\nversion ${bundle.version}\n`, question: `Stop bundle version ${bundle.version}?`, who_else: 'nobody: it acts at once' })
      },
    },
    '/api/v1/sheets/withdrawal': {
      post: ({ body }) => {
        const job = findJob(world, body.id)
        return sheet({ kind: 'withdrawal', body }, { id: world.random.id('st'), kind: 'withdrawal', role: 'freeze', words: world.random.words(), text: `WITHDRAWAL\njob     ${job.row.id}\ntitle   ${job.row.title}\n`, question: `Take “${job.row.title}” back for good?`, who_else: 'nobody: it acts at once' })
      },
    },
    '/api/v1/sign': {
      post: ({ body }) => {
        const memory = world.sheets.get(body.token)
        world.sheets.delete(body.token)
        if (!memory) throw new Refused(409, 'sheet.used', 'this sheet was used or is too old', 'open it again and read it again')
        asked += 1
        if (asked === refuseAt) throw new Refused(422, 'sig.refused', 'the server refuses this signature', 'look at the statement again')
        if (memory.id !== body.id || memory.words !== body.words) throw new Refused(422, 'sheet.other', 'this is not what the sheet showed', 'reload the page')
        return act(world, memory.action, memory.id)
      },
    },
    '/api/v1/freezes': { get: () => ({ freezes: world.freezes.map(freezeRow) }) },
    '/api/v1/freezes/{id}': {
      get: ({ path }) => {
        const freeze = world.freezes.find((one) => one.id === path.id)
        if (!freeze) throw absent('freeze')
        const { endpoints, confirmedBy, ...row } = freeze
        const members = endpoints.flatMap((id) => world.byId.get(id) ?? [])
        const open = members.filter((one) => !confirmedBy.has(one.id))
        return {
          row: { ...row, confirmed: confirmedBy.size }, endpoints: members.length, confirmed: confirmedBy.size,
          missing: open.filter((one) => one.state === 'connected').length, offline: open.filter((one) => one.state === 'away').length, bad: 0,
          rows: [...open, ...members.filter((one) => confirmedBy.has(one.id))].slice(0, 500).map((one) => {
            const at = confirmedBy.get(one.id)
            return at === undefined
              ? { endpoint: one.id, hostname: one.hostname, state: one.state === 'connected' ? ('not_yet' as const) : ('offline' as const), at: one.last_seen ?? null }
              : { endpoint: one.id, hostname: one.hostname, state: 'frozen' as const, way: 'server', at }
          }),
        }
      },
    },
  }
  return { ...routes, ...foundingHandlers(world, sheet), ...policySheets(world, sheet) }
}

export type MakeSheet = (action: SignableAction, made: Omit<Sheet, 'token' | 'expires' | 'signatures' | 'stages' | 'notes'> & Partial<Pick<Sheet, 'signatures' | 'stages' | 'notes'>>) => Sheet

function findJob(world: World, id: string): Job {
  const job = world.jobs.find((one) => one.row.id === id)
  if (!job) throw absent('job')
  return job
}

const composed = new Map<string, Job>()

function jobSheet(world: World, sheet: MakeSheet, body: Compose): Sheet {
  const planned = plan(world, body.on, body.destructive ?? false, body.class)
  const job = addJob(world, { title: body.title, klass: planned.class, state: 'pending', at: world.now(), count: planned.endpoints, tenant: planned.tenant, author: world.person, script: body.script, progress: 0 })
  world.jobs.pop()
  const rows = resolve(world, body.on)
  job.targets = rows.map((row, at) => ({ endpoint: row.id, stage: stageOf(planned.stages, at), state: 'queued', t1: 0 }))
  job.row = { ...job.row, targets: rows.length, at: world.now() }
  job.destructive = body.destructive ?? false
  job.interpreter = body.interpreter
  if (body.trigger) {
    job.starts = startsOf(body.trigger)
    job.row.until = world.now() + body.trigger.until_s
  }
  composed.set(job.row.id, job)
  const earlier = world.jobs.filter((one) => one.row.title === body.title).at(-1)
  return sheet({ kind: 'job', body }, {
    id: job.row.id, kind: 'job', role: 'author', words: job.words, text: jobText(job), question: `Sign “${body.title}”?`, tenant: planned.tenant, class: planned.class, endpoints: planned.endpoints,
    until: world.now() + (body.expires_s ?? 86_400), who_else: planned.who_else, stages: planned.stages,
    notes: [...(body.destructive ? ['The script says that it deletes or disables something.'] : []), ...(body.trigger ? [`It is a standing order and runs ${startsOf(body.trigger)}.`] : [])],
    ...(earlier ? { difference: difference(earlier.script, body.script, earlier) } : {}),
  })
}

function stageOf(stages: readonly PlannedStage[], at: number): number {
  let end = 0
  for (const [stage, one] of stages.entries()) {
    end += one.count
    if (at < end) return stage
  }
  return stages.length - 1
}

function approvalSheet(world: World, sheet: MakeSheet, id: string): Sheet {
  const item = waitingItems(world).find((one) => one.id === id)
  if (!item) throw absent('statement that waits')
  const job = world.jobs.find((one) => one.row.id === id)
  const base = { id, kind: item.kind, role: job ? 'approve' : 'root', words: job?.words ?? 'cedar linen harbor nickel orchard silver tulip falcon', question: `Approve “${item.title}”?`, signatures: item.signatures, ...(item.disabled ? { disabled: item.disabled } : {}) }
  if (!job) return sheet({ kind: 'approval', body: { id } }, { ...base, text: `${item.kind.toUpperCase()}\n${item.title}\n`, who_else: item.who_else })
  const older = `${job.script.split('\n').slice(0, -2).join('\n')}\n`
  return sheet({ kind: 'approval', body: { id } }, {
    ...base, text: jobText(job), tenant: job.tenant, class: job.row.class, endpoints: job.row.targets, until: job.row.at + 86_400, who_else: 'nobody else after you',
    stages: job.stages, difference: difference(older, job.script, job),
  })
}

function difference(before: string, after: string, from: Job): NonNullable<Sheet['difference']> {
  return differenceOf(before, after, `${from.row.id.slice(0, 11)}…`, from.row.at - 30 * 86_400)
}

export function differenceOf(before: string, after: string, from: string, at: number): NonNullable<Sheet['difference']> {
  const old = before.split('\n')
  const fresh = after.split('\n')
  const lines: NonNullable<Sheet['difference']>['lines'] = []
  for (const text of old) lines.push({ change: fresh.includes(text) ? 'same' : 'removed', text })
  for (const text of fresh) if (!old.includes(text)) lines.push({ change: 'added', text })
  return { from, at, same: before === after, lines }
}

function act(world: World, action: SignableAction, id: string) {
  const kind = action.kind === 'approval' ? 'job' : action.kind
  const done = (enough: boolean, text: string) => ({ id, kind, enough, text })
  switch (action.kind) {
    case 'job': {
      const job = composed.get(id)
      if (!job) throw absent('job')
      job.logIndex = world.jobs.length
      world.jobs.push(job)
      tellJobs(world)
      if (job.needed > 0) return done(false, 'It waits until 1 more person approves it.')
      runJob(world, job)
      return done(true, 'It is on its way.')
    }
    case 'approval': {
      const job = world.jobs.find((one) => one.row.id === id)
      if (job) {
        job.signatures = [...job.signatures, signatureOf(world, 'approve')]
        runJob(world, job)
        return done(true, 'It is on its way.')
      }
      world.drafts = world.drafts.filter((one) => one.id !== id)
      const freeze = world.thaws.get(id)
      if (freeze) {
        world.freezes = world.freezes.filter((one) => one.id !== freeze)
        world.control.push({ kind: 'thaw', id, title: 'Thaw', signatures: [alice, signatureOf(world, 'freeze')] })
      }
      tellControl(world)
      return done(true, 'It is in the control log.')
    }
    case 'policy':
    case 'policy_approval':
    case 'policy_withdrawal':
      return done(true, actOnPolicy(world, action, id))
    case 'promotion': {
      const job = findJob(world, action.body.job)
      job.promoted += 1
      runJob(world, job)
      return done(true, 'The stage begins as endpoints see it.')
    }
    case 'freeze':
      return freezeNow(world, action.body, id, done)
    case 'thaw':
      world.drafts.unshift({ id, kind: 'thaw', title: 'Thaw of a freeze', at: world.now(), signatures: [signatureOf(world, 'freeze')], who_else: '1 more person', verification: { verified: true } })
      world.thaws.set(id, action.body.id)
      tellControl(world)
      return done(false, 'It waits in Approvals until 1 more person signs.')
    case 'veto':
      world.pending = world.pending.filter((one) => one.id !== action.body.id)
      tellControl(world)
      return done(true, 'The bundle will never act.')
    case 'enrolment':
      world.control.push({ kind: 'enrolment', id, title: `Enrolment for ${action.body.tenant}, ${action.body.site}`, signatures: [signatureOf(world, 'enroll')] })
      return { ...done(true, 'It is good from now on.'), command: `bartizan-guard enroll --server rmm.example.org:443 --anchor bz1-k7v3n5q2w4x6z8a3 --enrolment ${world.random.id('en', 40)}` }
    case 'threshold':
    case 'person':
      world.drafts.unshift({ id, kind: 'bundle', title: action.kind === 'person' ? 'Bundle version 3: one more person' : 'Bundle version 3: more people change it', at: world.now(), signatures: [signatureOf(world, 'root')], who_else: '1 more root operator', verification: { verified: true } })
      tellControl(world)
      return done(false, 'It waits in Approvals until 1 more person signs.')
    case 'genesis': {
      const { draft } = world.founding
      world.founding = { looks: 0, waiting: founded(draft?.words ?? '', { people: draft?.people ?? 1, signed: false }) }
      const enough = world.founding.waiting?.complete ?? false
      return done(enough, enough ? 'The organisation exists. Now let this console in.' : 'It waits for another person: give them the file.')
    }
    case 'countersign':
      world.founding = { looks: 0, waiting: founded(world.random.words(), { people: 2, signed: true }) }
      return done(true, 'The organisation exists. Now let this console in.')
    case 'join':
      world.standing = 'ready'
      return done(true, 'This console belongs to the organisation.')
    case 'login':
      world.standing = 'ready'
      return done(true, 'This console is logged in for twelve hours.')
    case 'withdrawal': {
      const job = findJob(world, action.body.id)
      job.withdrawn = true
      job.row = { ...job.row, state: 'cancelled' }
      tellControl(world)
      return done(true, 'It ends everywhere, for good.')
    }
  }
}

function freezeNow<T>(world: World, body: { scope: string; seconds?: number | null }, id: string, done: (enough: boolean, text: string) => T): T {
  const seconds = body.seconds ?? 4 * 3600
  if (seconds > 4 * 3600) {
    world.drafts.unshift({ id, kind: 'freeze', title: `Freeze of ${body.scope} for ${seconds / 3600} h`, at: world.now(), signatures: [signatureOf(world, 'freeze')], who_else: '1 more person', verification: { verified: true } })
    return done(false, 'It waits in Approvals until 1 more person signs.')
  }
  const members = world.endpoints.filter((row) => row.state !== 'quarantined' && (!body.scope.startsWith('tenant:') || row.tenant === body.scope.slice(7)))
  const freeze = { id, scope: body.scope, since: world.now(), until: world.now() + seconds, by: ['Bob Example'], confirmed: 0, endpoints: members.map((row) => row.id), confirmedBy: new Map<string, number>() }
  world.freezes.push(freeze)
  world.control.push({ kind: 'freeze', id, title: `Freeze of ${body.scope}`, signatures: [signatureOf(world, 'freeze')] })
  const connected = members.filter((row) => row.state === 'connected')
  const step = Math.max(1, Math.ceil(connected.length / 8))
  const confirm = () => {
    for (const row of connected.slice(freeze.confirmedBy.size, freeze.confirmedBy.size + step)) freeze.confirmedBy.set(row.id, world.now())
    world.news.tell('all', { kind: 'freeze', id, confirmed: freeze.confirmedBy.size })
    if (freeze.confirmedBy.size < connected.length) setTimeout(confirm, 350)
  }
  setTimeout(confirm, 350)
  tellControl(world)
  return done(true, 'It stands. Watch the confirmations count up.')
}
