import type { AuditRow, SignedBy } from '~/api/schema'

import { Refused, requireServer } from './handlers'
import { parted } from './fleet'
import type { Handlers } from './transport'
import type { World } from './world'

type Filters = { person?: string | null; kind?: string | null; tenant?: string | null; since?: number | string | null; until?: number | string | null }

/** Each signature that an entry adds is a row; the control log has all of a statement in one. */
function rows(world: World): AuditRow[] {
  const here = (who: readonly SignedBy[]) => who.some((one) => one.operator === 'op_bob')
  const jobs = world.jobs.flatMap((job) =>
    job.signatures.map((signature, at): AuditRow => {
      const who = [signature]
      return {
        at: job.row.at, after: at > 0 && !here(who), who, kind: 'job', did: at === 0 ? 'wrote a job' : 'approved a job', title: job.row.title, id: job.row.id, class: job.row.class, tenant: job.tenant,
        log: 'jobs', index: job.logIndex, here: here(who),
      }
    }),
  )
  const did: Record<string, string> = { freeze: 'froze', thaw: 'thawed', veto: 'vetoed a bundle', bundle: 'changed the bundle', withdrawal: 'took a job back' }
  const control = world.control.map((entry, index): AuditRow => ({
    at: world.started - (world.control.length - index) * 86_400, after: false, who: entry.signatures, kind: entry.kind, did: did[entry.kind] ?? 'signed', title: entry.title, id: entry.id, log: 'control', index, here: here(entry.signatures),
  }))
  const local: AuditRow = {
    at: world.started - 5_000, after: false, kind: 'local', did: 'let in', title: world.endpoints[5]?.id ?? 'an endpoint', here: true,
    who: [{ operator: 'op_bob', name: 'Bob Example', role: 'operator', fingerprint: '', verification: { verified: false, problem: 'a note of this console, which proves nothing to others' } }],
  }
  return [...jobs, ...control, ...(world.jobs.length > 0 ? [local] : [])].toSorted((a, b) => b.at - a.at)
}

export function auditHandlers(world: World): Pick<Handlers, '/api/v1/audit' | '/api/v1/audit/export'> {
  const fitting = (query: Filters) => {
    requireServer(world)
    return rows(world).filter(
      (row) =>
        (!query.person || (query.person === 'me' ? row.here : row.who.some((who) => who.operator === query.person))) &&
        (!query.kind || row.kind === query.kind) &&
        (!query.tenant || row.tenant === query.tenant) &&
        (!query.since || row.at >= Number(query.since)) &&
        (!query.until || row.at < Number(query.until)),
    )
  }
  return {
    '/api/v1/audit': {
      get: ({ query }) => {
        const all = rows(world)
        return {
          ...parted(fitting(query), query), people: [{ name: 'Alice Example', id: 'op_alice' }, { name: 'Bob Example', id: 'op_bob' }],
          tenants: [...new Set(all.flatMap((row) => row.tenant ?? []))].toSorted(), entries: world.jobs.length + world.control.length,
        }
      },
    },
    '/api/v1/audit/export': {
      get: ({ query }) => {
        const found = fitting(query)
        if (query.form === 'json') return JSON.stringify(found)
        if (query.form !== 'csv') throw new Refused(400, 'console.bad_request', 'the request cannot be read', 'reload the page')
        return ['time,did,title\r\n', ...found.map((row) => `${row.at},${row.did},${JSON.stringify(row.title)}\r\n`)].join('')
      },
    },
  }
}
