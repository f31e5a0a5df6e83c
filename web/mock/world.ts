import type { BundleRow, EndpointRow, FreezeRow, InboxItem, JobRow, PasskeyRow, LibraryScript, PendingBundle, PolicyItem, SavedView, SignedBy } from '~/api/schema'

import type { SignableAction } from '~/api/actions'
import { type AlertBook, alertBook } from './alerts'
import { type Founding, founded } from './founding'
import { hostileNames } from './hostile'
import type { News } from './news'
import { policyBook } from './policies'
import { Random } from './random'
import { fillScripts } from './scripts'

export type Target = { endpoint: string; stage: number; state: string; code?: string; exit?: number; t1: number }
export type Job = {
  row: Omit<JobRow, 'counts'>
  tenant: string
  script: string
  interpreter: string
  reason: string
  ticket: string
  needed: number
  signatures: SignedBy[]
  stages: { name: string; count: number; soak_s: number }[]
  promoted: number
  targets: Target[]
  words: string
  logIndex: number
  withdrawn: boolean
  starts?: string
  destructive: boolean
}
export type Freeze = FreezeRow & { endpoints: string[]; confirmedBy: Map<string, number> }
export type SheetMemory = { action: SignableAction; id: string; words: string }

export type World = {
  random: Random
  now: () => number
  /** When the page was opened. */
  started: number
  token: string
  origin: string
  news: News
  /** Who looks at the page. */
  person: SignedBy
  standing: 'ready' | 'no_organisation' | 'unreachable' | 'login_needed'
  endpoints: EndpointRow[]
  byId: Map<string, EndpointRow>
  jobs: Job[]
  drafts: InboxItem[]
  freezes: Freeze[]
  pending: PendingBundle[]
  bundles: BundleRow[]
  sheets: Map<string, SheetMemory>
  passkeys: PasskeyRow[]
  control: { kind: string; id: string; title: string; signatures: SignedBy[] }[]
  thaws: Map<string, string>
  views: SavedView[]
  scripts: LibraryScript[]
  texts: Map<string, string>
  founding: Founding
  alertBook: AlertBook
  policies: PolicyItem[]
}

export const alice: SignedBy = {
  operator: 'op_alice',
  name: 'Alice Example',
  role: 'author',
  fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BBrJtGYHiCVQyTIv2pQqEl1c',
  verification: { verified: true },
}
export const bob: SignedBy = { ...alice, operator: 'op_bob', name: 'Bob Example', fingerprint: 'SHA256:2Qk0dV7n1p3s5t7v9x1z3B5D7F9H1J3L5N7P9R1T3V5' }

const tenants: Record<string, string[]> = {
  acme: ['hq', 'warehouse', 'lab'],
  birch: ['office'],
  'city-dental': ['north', 'south', 'west'],
  'delta-logistics': ['hub-1', 'hub-2', 'depot'],
  eastwood: ['school'],
  fernhill: ['practice', 'annexe'],
}
const systems = ['Debian GNU/Linux 12', 'Ubuntu 24.04.1 LTS', 'Windows 11 Pro 24H2', 'Windows Server 2022', 'macOS 15.2', 'Debian GNU/Linux 13', 'Rocky Linux 9.5']
const kinds = ['ws', 'srv', 'web', 'db', 'dc', 'pos', 'nas', 'lab', 'kiosk', 'build']

export function makeWorld({ size, story }: { size: number; story: string }, news: News): World {
  const random = new Random(20_260_801)
  const start = Math.floor(Date.now() / 1000)
  const count = Math.max(0, Math.min(200_000, Number.isFinite(size) ? size : 1_400))
  const outside = story === 'new' || story === 'waiting'
  const empty = story === 'empty' || outside
  const endpoints = empty ? [] : fleet(random, count, start)
  const world: World = {
    random,
    now: () => Math.floor(Date.now() / 1000),
    started: start,
    token: 'mock',
    // Its usual one, where there is no page.
    origin: typeof location === 'undefined' ? 'http://localhost:8740' : location.origin,
    news,
    person: bob,
    standing: outside ? 'no_organisation' : story === 'login' ? 'login_needed' : story === 'unreachable' ? 'unreachable' : 'ready',
    endpoints,
    byId: new Map(endpoints.map((row) => [row.id, row])),
    jobs: [],
    drafts: [],
    freezes: [],
    pending: [],
    bundles: bundles(random, start),
    sheets: new Map(),
    passkeys: [],
    control: [{ kind: 'bundle', id: random.id('st'), title: 'Bundle version 1', signatures: [alice, bob] }],
    thaws: new Map(),
    scripts: [],
    texts: new Map(),
    views: empty ? [] : [{ name: 'Away at acme', tenant: 'acme', state: 'away', sort: 'last_seen', descending: false, columns: ['name', 'last_heard', 'site', 'system'] }, { name: 'Domain controllers', search: 'dc-', descending: false }],
    // In the story nobody else ever signs.
    founding: { looks: story === 'waiting' ? Number.NEGATIVE_INFINITY : 0 },
    alertBook: { alerts: [], history: new Map(), rules: { version: 0, windows: [], routes: [], links: [], channels: [], history: [] } },
    policies: [],
  }
  if (story === 'waiting') world.founding.waiting = founded(random.words(), { people: 2, signed: false })
  if (!empty) {
    fill(world, start)
    if (story === 'refusals') refuseInsteadOfFailing(world)
    fillScripts(world, start)
    world.alertBook = alertBook(world, start)
    world.policies = policyBook(world, start)
  }
  return world
}

function fleet(random: Random, count: number, now: number): EndpointRow[] {
  const names = Object.keys(tenants)
  const rows: EndpointRow[] = []
  for (let at = 0; at < count; at += 1) {
    const tenant = random.pick(names)
    const site = random.pick(tenants[tenant] ?? ['hq'])
    const hostile = at < hostileNames.length ? hostileNames[at] : undefined
    const roll = random.next()
    const state = at % 173 === 5 ? 'quarantined' : roll < 0.83 ? 'connected' : 'away'
    rows.push({
      id: random.id('ep'),
      hostname: hostile ?? `${random.pick(kinds)}-${site}-${String(at % 1000).padStart(3, '0')}`,
      os: hostile && at % 2 === 0 ? `Linux ${hostile.slice(0, 60)}` : random.pick(systems),
      ...(state === 'quarantined' ? {} : { tenant, site }),
      state,
      last_seen: now - (state === 'connected' ? random.below(60) : random.below(20 * 86_400)),
    })
  }
  return rows
}

function line(change: 'same' | 'added' | 'removed', text: string) {
  return { change, text }
}

function bundles(random: Random, now: number): BundleRow[] {
  return [
    {
      id: random.id('st'), index: 2, version: 2, at: now - 9 * 86_400, state: 'in_force',
      signatures: [{ ...alice, role: 'root' }, { ...bob, role: 'root' }],
      changes: [line('same', 'operators'), line('same', '  alice  Alice Example'), line('same', '  bob    Bob Example'), line('added', '  carol  Carol Example: author, approve for acme'), line('same', 'classes'), line('removed', '  change  endpoints at most 250'), line('added', '  change  endpoints at most 500')],
    },
    {
      id: random.id('st'), index: 0, version: 1, at: now - 40 * 86_400, state: 'former',
      signatures: [{ ...alice, role: 'root' }, { ...bob, role: 'root' }],
      changes: [line('added', 'operators'), line('added', '  alice  Alice Example: every role'), line('added', '  bob    Bob Example: every role'), line('added', 'classes'), line('added', '  routine  the author alone, endpoints at most 10 with a new script'), line('added', '  change  1 more person, endpoints at most 250'), line('added', '  fleet  1 more person, three stages, soak 30 min')],
    },
  ]
}

type Wish = { title: string; klass: string; state: string; at: number; count: number; tenant: string; author: SignedBy; script: string; progress: number; approved?: boolean; bad?: number; starts?: string }

/** What a Friday morning looks like. */
function fill(world: World, now: number): void {
  const wishes: Wish[] = [
    { title: 'Rotate the time servers to pool.ntp.example', klass: 'change', state: 'pending', at: now - 240, count: 64, tenant: 'acme', author: alice, script: timeScript, progress: 0 },
    { title: 'Update openssl on all web servers', klass: 'fleet', state: 'pending', at: now - 3_900, count: 210, tenant: 'delta-logistics', author: alice, script: patchScript, progress: 0 },
    { title: 'Remove the old print driver', klass: 'change', state: 'pending', at: now - 900, count: 22, tenant: 'city-dental', author: bob, script: '#!/bin/sh\nset -eu\napt-get remove -y old-print-driver\n', progress: 0 },
    { title: 'Patch round, November', klass: 'fleet', state: 'active', at: now - 5_400, count: 180, tenant: 'acme', author: alice, script: patchScript, progress: 0.3, approved: true, bad: 3 },
    { title: 'Collect disk health', klass: 'routine', state: 'active', at: now - 300, count: 8, tenant: 'birch', author: bob, script: '#!/bin/sh\nsmartctl --scan | while read -r d _; do smartctl -H "$d"; done\n', progress: 0.6 },
    { title: 'Free space on the mail spool', klass: 'routine', state: 'finished', at: now - 26_000, count: 4, tenant: 'eastwood', author: bob, script: '#!/bin/sh\nset -eu\njournalctl --vacuum-size=200M\n', progress: 1, bad: 1 },
    { title: 'Nightly clean-up of temporary files', klass: 'change', state: 'active', at: now - 6 * 86_400, count: 40, tenant: 'acme', author: alice, script: '#!/bin/sh\nfind /var/tmp -xdev -mtime +14 -delete\n', progress: 1, approved: true, starts: 'at 0 3 * * 1-5 (Europe/Berlin)' },
    { title: 'Start nginx again when it is down', klass: 'routine', state: 'active', at: now - 2 * 86_400, count: 6, tenant: 'fernhill', author: bob, script: '#!/bin/sh\nsystemctl start nginx\n', progress: 0.5, starts: 'while the service nginx does not run' },
  ]
  for (let at = 0; at < 140; at += 1) {
    const state = at % 11 === 0 ? 'expired' : 'finished'
    wishes.push({ title: world.random.pick(['Set the login banner', 'List open ports', 'Check certificates', 'Renew the backup key', 'Restart the print spooler', 'Read the event log']), klass: world.random.pick(['routine', 'routine', 'change']), state, at: now - 90_000 - at * 7_000, count: 1 + world.random.below(9), tenant: world.random.pick(Object.keys(tenants)), author: world.random.pick([alice, bob]), script: '#!/bin/sh\nss -tlpn\n', progress: 1, approved: true })
  }
  for (const wish of wishes) {
    const job = addJob(world, wish)
    if (wish.klass === 'fleet' && wish.state === 'active') job.promoted = 1
  }
  world.drafts.push({
    id: world.random.id('st'), kind: 'bundle', title: 'Bundle version 3: Carol may author for birch too', at: now - 7_200,
    signatures: [{ ...bob, role: 'root' }], who_else: '1 more root operator', verification: { verified: true },
  })
  world.pending.push({
    id: world.random.id('st'), words: world.random.words(), version: 3, due: now + 52_000,
    changes: [{ change: 'same', text: 'classes' }, { change: 'removed', text: '  fleet  stages at least 3' }, { change: 'added', text: '  fleet  stages at least 2' }],
  })
  world.control.push(
    { kind: 'freeze', id: world.random.id('st'), title: 'Freeze of the organisation for 1 h: monthly drill', signatures: [{ ...bob, role: 'freeze' }] },
    { kind: 'bundle', id: world.bundles[0]?.id ?? '', title: 'Bundle version 2', signatures: [{ ...alice, role: 'root' }, { ...bob, role: 'root' }] },
    { kind: 'thaw', id: world.random.id('st'), title: 'Thaw of the drill', signatures: [{ ...alice, role: 'freeze' }, { ...bob, role: 'freeze' }] },
    { kind: 'enrolment', id: world.random.id('st'), title: 'Enrolment for acme, hq: 10 uses', signatures: [alice] },
  )
}

function refuseInsteadOfFailing(world: World): void {
  const staged = world.jobs.filter((job) => job.stages.length > 1).flatMap((job) => job.targets)
  for (const target of staged.filter((one) => one.state === 'failed')) {
    target.state = 'refused'
    target.code = 'rate.limited'
    delete target.exit
  }
}

export function addJob(world: World, wish: Wish): Job {
  const { random } = world
  const members = world.endpoints.filter((row) => row.tenant === wish.tenant).slice(0, wish.count)
  const stages = wish.klass === 'fleet' ? fleetStages(members.length) : [{ name: 'all', count: members.length, soak_s: 0 }]
  const needed = wish.klass === 'routine' ? 0 : 1
  const other = wish.author === alice ? bob : alice
  const job: Job = {
    row: {
      id: random.id('st'), title: wish.title, class: wish.klass, state: wish.state, at: wish.at, targets: members.length,
      ...(wish.starts ? { until: wish.at + 30 * 86_400 } : {}),
    },
    tenant: wish.tenant, script: wish.script, interpreter: 'sh', reason: '', ticket: '', needed,
    signatures: wish.approved && needed > 0 ? [wish.author, { ...other, role: 'approve' }] : [wish.author],
    stages, promoted: 0, targets: [], words: random.words(), logIndex: world.jobs.length, withdrawn: false,
    ...(wish.starts ? { starts: wish.starts } : {}),
    destructive: false,
  }
  let stage = 0
  let left = stages[0]?.count ?? 0
  members.forEach((row, at) => {
    if (left === 0) {
      stage += 1
      left = stages[stage]?.count ?? members.length
    }
    left -= 1
    job.targets.push({ endpoint: row.id, stage, t1: wish.at + 60 + random.below(300), ...standing(wish, at, stage, row) })
  })
  world.jobs.push(job)
  return job
}

function standing(wish: Wish, at: number, stage: number, row: EndpointRow): { state: string; code?: string; exit?: number } {
  if (wish.state === 'pending') return { state: 'queued' }
  if (wish.state === 'expired' && row.state === 'away') return { state: 'expired', code: 'window.expired' }
  if (wish.klass === 'fleet' && stage > 1) return { state: 'waiting', code: 'stage.not_promoted' }
  if (wish.state === 'active' && wish.klass === 'fleet' && stage === 1 && at < 6) return { state: 'failed', code: 'exec.exit_status', exit: 100 }
  if (wish.state === 'active' && wish.klass === 'fleet' && stage === 0) return { state: 'done', exit: 0 }
  if (row.state === 'away' && wish.state === 'active') return { state: 'queued' }
  if (wish.state === 'active' && wish.klass === 'fleet' && stage === 1) {
    return at % 3 === 0 ? { state: 'running' } : at % 3 === 1 ? { state: 'done', exit: 0 } : { state: 'delivered' }
  }
  if (wish.bad && at < wish.bad) return at % 2 === 0 ? { state: 'failed', code: 'exec.exit_status', exit: 2 } : { state: 'refused', code: 'rate.limited' }
  if (wish.state === 'active' && wish.progress < 1 && at / wish.count >= wish.progress) return { state: 'running' }
  return { state: 'done', exit: 0 }
}

export function fleetStages(count: number): { name: string; count: number; soak_s: number }[] {
  const canary = Math.min(3, count)
  const tenth = Math.min(count - canary, Math.ceil(count / 10))
  return [
    { name: 'canary', count: canary, soak_s: 0 },
    { name: 'tenth', count: tenth, soak_s: 1_800 },
    { name: 'rest', count: count - canary - tenth, soak_s: 1_800 },
  ].filter((stage) => stage.count > 0)
}

const timeScript = `#!/bin/sh
set -eu
# One time source for every endpoint of the tenant.
cat > /etc/systemd/timesyncd.conf <<'CONF'
[Time]
NTP=pool.ntp.example
CONF
systemctl restart systemd-timesyncd
timedatectl show -p NTPSynchronized
`
const patchScript = `#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --only-upgrade openssl libssl3
needrestart -r a -q
`
