import type { EndpointRow, FleetCounts, FreezeRow, JobRow, Me, Problem, TargetRow } from '~/api/schema'

import { alertHandlers, openAlerts } from './alerts'
import { auditHandlers } from './audit'
import { hostnameOf, jobView, rolloutOf, rowOf, targetsOf } from './jobs'
import { fleetHandlers, parted } from './fleet'
import { orderPlan } from './orders'
import { policyHandlers } from './policies'
import { scriptHandlers } from './scripts'
import { inventoryHandlers } from './inventory'
import { seriesHandlers } from './series'
import { signingHandlers } from './signing'
import type { Handlers } from './transport'
import { type Freeze, type Target, type World, alice, bob } from './world'

export type Call = { query: Record<string, unknown>; path: Record<string, string>; body: unknown }

/** An answer that is a refusal. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly next: string

  constructor(status: number, code: string, message: string, next: string) {
    super(message)
    this.status = status
    this.code = code
    this.next = next
  }
}

export function absent(what: string): Refused {
  return new Refused(404, 'not_found', `there is no such ${what}`, 'look at the list again: it may have gone')
}

export function handlers(world: World): Handlers {
  return { ...consoleHandlers(world), ...alertHandlers(world), ...auditHandlers(world), ...fleetHandlers(world), ...inventoryHandlers(world), ...jobHandlers(world), ...policyHandlers(world), ...scriptHandlers(world), ...seriesHandlers(world), ...signingHandlers(world), ...trustHandlers(world) }
}

const unreachable: Problem = {
  code: 'server.unreachable',
  message: 'the server at 10.0.0.5:8443 does not answer',
  next: 'check the network and the server; what endpoints keep goes on by itself',
}

export function requireServer(world: World): void {
  if (world.standing === 'unreachable') throw new Refused(503, unreachable.code, unreachable.message, unreachable.next)
  if (world.standing === 'login_needed') throw new Refused(409, 'console.login_needed', 'this console is not logged in', 'log in with your passkey')
  if (world.standing === 'no_organisation') throw new Refused(409, 'console.no_organisation', 'this console belongs to no organisation', 'open `bartizan console` and found or join one there')
}

function consoleHandlers(world: World): Pick<Handlers, '/api/v1/passkeys' | '/api/v1/passkeys/options' | '/api/v1/session' | '/api/v1/me' | '/api/v1/overview'> {
  return {
    '/api/v1/session': {
      post: ({ body }) => {
        if (body.launch === 'used') throw new Refused(401, 'console.no_session', 'this link was used already', 'press Enter where `bartizan console` runs')
        return { token: world.token, expires: world.now() + 12 * 3600 }
      },
      delete: () => undefined,
    },
    '/api/v1/me': { get: () => me(world) },
    '/api/v1/passkeys': {
      get: () => ({ in_use: false, origin: world.origin, passkeys: world.passkeys }),
      post: () => {
        const fingerprint = world.random.fingerprint()
        world.passkeys.push({ credential: world.random.hex(16), fingerprint, ssh: 'webauthn-es256 AAAA', origin: world.origin, synced: false })
        return { card: '{"id":"bob"}', words: world.random.words(), fingerprint }
      },
    },
    '/api/v1/passkeys/options': {
      post: () => ({ challenge: 'AAECAwQFBgcICQoLDA0ODw', rp_id: 'localhost', rp_name: 'Bartizan', user_id: 'Ym9i', exclude: [] }),
    },
    '/api/v1/overview': {
      get: () => {
        requireServer(world)
        const active = world.jobs.filter((job) => job.row.state === 'active').map(rowOf)
        const waiting = waitingItems(world)
        return {
          endpoints: counts(world.endpoints),
          waiting: waiting.length,
          waiting_for_me: waiting.filter((item) => !item.disabled).length,
          active: newest(active).slice(0, 20),
          freezes: world.freezes.map(freezeRow),
          pending: world.pending,
          open_alerts: openAlerts(world),
          alerts: [],
        }
      },
    },
  }
}

function me(world: World): Me {
  const base = { version: '0.2.0', standing: world.standing, pages: 1 }
  if (world.standing === 'no_organisation') return base
  return {
    ...base,
    ...(world.standing === 'unreachable' ? { problem: unreachable } : {}),
    operator: { id: world.person.operator ?? '', name: world.person.name ?? '', roles: ['author', 'approve', 'root', 'enroll', 'freeze', 'promote'] },
    key: { place: 'security_key', fingerprint: world.person.fingerprint, key_type: 'sk-ssh-ed25519@openssh.com', hardware: true },
    organisation: {
      anchor: 'bz1-k7v3n5q2w4x6z8a3c5e7g2j4m6p8r3t5v7y2b4d6f8h3',
      words: 'walnut tower amber delta meadow lantern coral zenith',
      bundle_version: 2,
      bundle_expires: world.now() + 190 * 86_400,
    },
    server: { address: '10.0.0.5:8443', spki: '9f2c41d07ab3e58816f04dd2c97be1a35508cf62e4710b9ad3f86c25be047f19' },
    sync: { checked_at: world.now() - 2, control_size: world.control.length },
  }
}

/** A freeze as lists show it. */
export function freezeRow(freeze: Freeze): FreezeRow {
  const { id, scope, since, until, by } = freeze
  return { id, scope, since, until, by, confirmed: freeze.confirmedBy.size }
}

export function counts(rows: readonly EndpointRow[]): FleetCounts {
  const of = (state: EndpointRow['state']) => rows.reduce((sum, row) => sum + (row.state === state ? 1 : 0), 0)
  return { total: rows.length, connected: of('connected'), away: of('away'), quarantined: of('quarantined') }
}

function newest(rows: JobRow[]): JobRow[] {
  return rows.toSorted((a, b) => b.at - a.at)
}

/** Jobs and drafts that lack signatures. */
export function waitingItems(world: World) {
  const jobs = world.jobs
    .filter((job) => job.row.state === 'pending')
    .map((job) => ({
      id: job.row.id, kind: 'job', title: job.row.title, class: job.row.class, tenant: job.tenant, endpoints: job.row.targets, at: job.row.at,
      until: job.row.at + 86_400, signatures: job.signatures, who_else: '1 more person, not its author', verification: { verified: true },
      ...(job.signatures[0]?.operator === world.person.operator ? { disabled: 'You are its author: another person must approve it.' } : {}),
    }))
  const drafts = world.drafts.map((item) => ({
    ...item,
    ...(item.signatures.some((one) => one.operator === world.person.operator) ? { disabled: 'You have signed it; it waits for others.' } : {}),
  }))
  return [...jobs.toSorted((a, b) => b.at - a.at), ...drafts]
}

function jobHandlers(world: World) {
  const find = (id: string) => {
    requireServer(world)
    const job = world.jobs.find((one) => one.row.id === id)
    if (!job) throw absent('job')
    return job
  }
  const routes: Pick<Handlers, '/api/v1/jobs' | '/api/v1/jobs/{id}' | '/api/v1/jobs/{id}/targets' | '/api/v1/jobs/{id}/receipts' | '/api/v1/jobs/{id}/rollout' | '/api/v1/orders' | '/api/v1/orders/plan'> = {
    '/api/v1/jobs': {
      get: ({ query }) => {
        requireServer(world)
        const rows = newest(world.jobs.map(rowOf).filter((row) => !query.state || row.state === query.state))
        return parted(rows, query)
      },
    },
    '/api/v1/jobs/{id}': { get: ({ path }) => jobView(world, find(path.id)) },
    '/api/v1/jobs/{id}/targets': {
      get: ({ path, query }) => parted(targetsOf(world, find(path.id)).filter((row: TargetRow) => !query.state || row.state === query.state), query),
    },
    '/api/v1/jobs/{id}/receipts': {
      get: ({ path, query }) => {
        const job = find(path.id)
        const rows = receipts(world, job)
        return { ...parted(rows, query), bad: 0 }
      },
    },
    '/api/v1/jobs/{id}/rollout': { get: ({ path }) => rolloutOf(world, find(path.id)) },
    '/api/v1/orders/plan': { post: ({ body }) => orderPlan(world, body) },
    '/api/v1/orders': {
      get: () => {
        requireServer(world)
        const orders = world.jobs.flatMap((job) =>
          job.starts
            ? [
                {
                  id: job.row.id, title: job.row.title, class: job.row.class, starts: job.starts, until: job.row.until ?? job.row.at, withdrawn: job.withdrawn,
                  ...(job.starts.startsWith('at') ? { upcoming: world.now() + 39_000 } : {}),
                  targets: job.targets.length,
                  endpoints: job.targets.slice(0, 200).map((target) => ({ endpoint: target.endpoint, ...hostnameOf(world, target.endpoint), state: job.withdrawn ? 'withdrawn' : 'standing', ...lastRun(world, target) })),
                },
              ]
            : [],
        )
        return { orders }
      },
    },
  }
  return routes
}

/** By the endpoint's own newest receipt. */
function lastRun(world: World, target: Target) {
  if (target.state !== 'done' && target.state !== 'failed') return {}
  const { state, exit = null, code = 'ok' } = target
  return { last: { at: world.now() - 3_600 * (2 + (target.t1 % 20)), decision: state, code, exit, verification: { verified: true } } }
}

export function receipts(world: World, job: World['jobs'][number]) {
  return job.targets
    .filter((target) => ['done', 'failed', 'refused'].includes(target.state))
    .map((target, at) => ({
      id: `st_receipt${at}${job.row.id.slice(3, 40)}`, endpoint: target.endpoint, ...hostnameOf(world, target.endpoint), job: job.row.id, seq: at + 1, decision: target.state, code: target.code ?? 'ok',
      ...(target.state === 'failed' ? { next: 'read the end of its output; sign it again when it is fixed' } : {}),
      exit: target.exit ?? null, output_bytes: (at * 7_919) % 180_000, t0: target.t1 - 3 - (at % 40), t1: target.t1,
      verification: { verified: true },
    }))
    .toSorted((a, b) => b.t1 - a.t1)
}

function key(fingerprint: string, note: string) {
  const ssh = 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t'
  return { fingerprint, key_type: 'sk-ssh-ed25519@openssh.com', ssh, origins: [], user_verification: true, may_be_synced: false, note }
}

function trustHandlers(world: World) {
  const cap = { endpoints_new_max: 4_294_967_295, endpoints_max: 4_294_967_295, stages_min: 1, first_stage_max: 4_294_967_295, soak_s_min: 0, delay_s: 0, window_s_max: 7 * 86_400, witnesses: 'quorum', user_check: 'verification' }
  const everything = ['author', 'approve', 'root', 'enroll', 'freeze', 'promote']
  const routes: Pick<Handlers, '/api/v1/trust' | '/api/v1/trust/history' | '/api/v1/logs' | '/api/v1/logs/{name}/entries' | '/api/v1/logs/{name}/entries/{index}'> = {
    '/api/v1/trust': {
      get: () => {
        requireServer(world)
        return {
          id: world.bundles[0]?.id ?? '', words: 'walnut tower amber delta meadow lantern coral zenith', version: 2, at: world.now() - 9 * 86_400, expires: world.now() + 190 * 86_400,
          root_threshold: 2, weaken_delay_s: 86_400, recovery_delay_s: 7 * 86_400, recovery_keys: ['SHA256:0h3cWk2r9dM4tYq8sVb1nZp6xJf5gLa7eRu0iOw2KcE'],
          operators: [
            { id: 'op_alice', name: 'Alice Example', roles: everything, keys: [key(alice.fingerprint, 'key on the ring'), key('SHA256:7tGd1pQv9xY3nR5mK8sL2bJ4hF6cW0zE1aU3oI5eT7y', 'spare in the safe')], me: false },
            { id: 'op_bob', name: 'Bob Example', roles: everything, keys: [key(bob.fingerprint, 'laptop key'), { ...key('SHA256:9wXz2cVb4nM6aSd8fGh0jKl1qWe3rTy5uIo7pLk9jHg', 'passkey of the laptop'), key_type: 'webauthn-es256', origins: ['http://localhost:8740'], may_be_synced: true }], me: true },
            { id: 'op_carol', name: 'Carol Example', roles: ['author', 'approve'], tenants: ['acme'], keys: [key('SHA256:3eDc5rFv7tGb9yHn1uJm3iK5oL7pQ9wE2sA4dF6gH8j', 'blue key')], me: false },
          ],
          classes: [
            { ...cap, class: 'routine', approvals: 0, endpoints_new_max: 10 },
            { ...cap, class: 'change', approvals: 1, endpoints_max: 500, endpoints_new_max: 500 },
            { ...cap, class: 'fleet', approvals: 1, stages_min: 3, first_stage_max: 5, soak_s_min: 1_800 },
          ],
          witnesses: [{ name: 'alice', me: false }, { name: 'bob', me: true }, { name: 'tower', me: false }],
          servers: [{ addresses: ['rmm.example.org:443'], spki: '9f2c41d07ab3e58816f04dd2c97be1a35508cf62e4710b9ad3f86c25be047f19' }],
          customers: [{ tenant: 'city-dental', keys: ['SHA256:5vBn7mQw9eRt1yUi3oPa5sDf7gHj9kLz2xCv4bNm6qW'] }],
          min_agent: '0.1.0',
          pending: world.pending,
        }
      },
    },
    '/api/v1/trust/history': { get: () => ({ bundles: world.bundles }) },
    '/api/v1/logs': {
      get: () => {
        requireServer(world)
        const log = (name: string, size: number) => ({
          name, origin: `rmm.example.org/${name}`, size, root: '4be1a7c0ee9d35d2f1c4a86b7d90f3e52268c1b7a95f0d3e8c74b16a02d9f5c3',
          checkpoint: `rmm.example.org/${name}\n${size}\nS+GnwO6dNdLxxKhrfZDz5SJowbepXw0+jHSxagLZ9cM=\n\n\u2014 rmm.example.org/${name} Az3grlgQY8Xv…\n\u2014 alice Qm9i…\n\u2014 tower V2l0…\n`,
          verification: { verified: true }, cosigned_here: size,
          witnesses: [{ name: 'alice', at: world.now() - 41 }, { name: 'bob', at: world.now() - 12 }, { name: 'tower' }],
        })
        return { logs: [log('control', world.control.length), log('jobs', world.jobs.length)], alerts: [] }
      },
    },
    '/api/v1/logs/{name}/entries': { get: ({ path, query }) => parted(entriesOf(world, path.name).toReversed(), query) },
    '/api/v1/logs/{name}/entries/{index}': {
      get: ({ path }) => {
        const row = entriesOf(world, path.name)[Number(path.index)]
        if (!row) throw absent('entry')
        return {
          row, text: `${row.kind.toUpperCase()}  ${row.title}\nid      ${row.id}\n`, words: 'cedar linen harbor nickel orchard silver tulip falcon', verification: { verified: true },
          leaf: world.random.hex(32), proof: `c2sp.org/tlog-proof@v1\nindex ${row.index}\nS+GnwO6dNdLxxKhrfZDz5SJowbepXw0+jHSxagLZ9cM=\n`,
          files: [{ name: 'statement.json', base64: btoa(JSON.stringify(row)) }, { name: 'alice.sig', base64: btoa('-----BEGIN SSH SIGNATURE-----\n') }, { name: 'allowed_signers', base64: btoa('alice ssh-ed25519 AAAA\n') }],
          commands: ['ssh-keygen -Y verify -f allowed_signers -I alice -n bartizan-statement -s alice.sig < statement.json', 'sha256sum statement.json'],
        }
      },
    },
  }
  return routes
}

function entriesOf(world: World, name: string) {
  requireServer(world)
  if (name === 'control') return world.control.map((entry, index) => ({ index, ...entry }))
  if (name !== 'jobs') throw absent('log')
  return world.jobs.map((job, index) => ({ index, kind: 'job', id: job.row.id, title: job.row.title, signatures: job.signatures }))
}
