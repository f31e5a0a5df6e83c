import type { EndpointRow, SiteBranch, TenantBranch } from '~/api/schema'
import { allColumns } from '~/features/fleet/search'

import { grouped } from './grouped'
import { absent, counts, receipts, requireServer } from './handlers'
import { rowOf, targetsOf } from './jobs'
import type { Handlers } from './transport'
import type { World } from './world'

/** A part of a list, as every window of the API. */
export function parted<T>(rows: readonly T[], query: { offset?: unknown; limit?: unknown }): { total: number; offset: number; rows: T[] } {
  const offset = typeof query.offset === 'number' ? query.offset : 0
  const limit = typeof query.limit === 'number' ? Math.min(500, query.limit) : 100
  return { total: rows.length, offset, rows: rows.slice(offset, offset + limit) }
}

type Wanted = { search?: string | null; tenant?: string | null; site?: string | null; state?: string | null; sort?: string | null; descending?: boolean }

// Orders and small letters of the whole fleet, made once, as a database has indexes.
const orders = new Map<string, { row: EndpointRow; text: string }[]>()

function ordered(world: World, sort: string): { row: EndpointRow; text: string }[] {
  const known = orders.get(sort)
  if (known) return known
  const key = (row: EndpointRow): string | number => {
    if (sort === 'last_seen') return row.last_seen ?? 0
    if (sort === 'os') return row.os
    if (sort === 'tenant') return `${row.tenant ?? ''} ${row.site ?? ''} ${row.hostname}`
    return row.hostname
  }
  const made = world.endpoints
    .map((row) => ({ row, text: `${row.hostname.toLowerCase()} ${row.id}`, key: key(row) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  orders.set(sort, made)
  return made
}

function select(world: World, query: Wanted): EndpointRow[] {
  const words = query.search?.toLowerCase()
  const rows = ordered(world, query.sort ?? 'hostname').flatMap(({ row, text }) =>
      (!words || text.includes(words)) &&
      (!query.tenant || (query.tenant === 'none' ? !row.tenant : row.tenant === query.tenant)) &&
      (!query.site || row.site === query.site) &&
      (!query.state || row.state === query.state)
        ? [row]
        : [],
  )
  return query.descending ? rows.toReversed() : rows
}

// Scrolling asks for windows of one list: it is made once.
let last: { key: string; rows: EndpointRow[] } | undefined

export function fleetHandlers(world: World) {
  const find = (id: string) => {
    requireServer(world)
    const row = world.byId.get(id)
    if (!row) throw absent('endpoint')
    return row
  }
  const tree = () => {
    requireServer(world)
    const byTenant = grouped(world.endpoints, (row) => row.tenant ?? '')
    const tenants: TenantBranch[] = [...byTenant].toSorted(([a], [b]) => a.localeCompare(b)).map(([tenant, rows]) => {
      const sites: SiteBranch[] = [...grouped(rows, (row) => row.site ?? '')]
        .filter(([site]) => site !== '')
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([site, members]) => ({ site, counts: counts(members) }))
      return { ...(tenant === '' ? {} : { tenant }), counts: counts(rows), sites }
    })
    return { counts: counts(world.endpoints), tenants }
  }
  const routes: Pick<Handlers, '/api/v1/endpoints' | '/api/v1/endpoints/tree' | '/api/v1/endpoints/export' | '/api/v1/views' | '/api/v1/views/forget' | '/api/v1/endpoints/{id}' | '/api/v1/endpoints/{id}/jobs' | '/api/v1/endpoints/{id}/receipts' | '/api/v1/endpoints/{id}/admit' | '/api/v1/endpoints/{id}/refresh'> = {
    '/api/v1/endpoints/tree': { get: tree },
    '/api/v1/endpoints/export': {
      get: ({ query }) => {
        requireServer(world)
        const { columns, ...filters } = query
        const names = columns ? columns.split(',') : [...allColumns]
        return [names, ...select(world, filters).map((row) => names.map((name) => cell(row, name)))].map((cells) => `${cells.join(',')}\r\n`).join('')
      },
    },
    '/api/v1/views': {
      get: () => ({ views: world.views }),
      post: ({ body }) => {
        world.views = [...world.views.filter((view) => view.name !== body.name), body].toSorted((a, b) => a.name.localeCompare(b.name))
        return { views: world.views }
      },
    },
    '/api/v1/views/forget': {
      post: ({ body }) => {
        world.views = world.views.filter((view) => view.name !== body.name)
        return { views: world.views }
      },
    },
    '/api/v1/endpoints': {
      get: ({ query }) => {
        requireServer(world)
        const { offset: _, limit: __, ...filters } = query
        const key = JSON.stringify(filters)
        if (last?.key !== key) last = { key, rows: select(world, filters) }
        return parted(last.rows, query)
      },
    },
    '/api/v1/endpoints/{id}': {
      get: ({ path }) => {
        const row = find(path.id)
        return {
          row, verification: { verified: true }, ...(row.tenant ? { tenant: row.tenant } : {}), fingerprint: 'SHA256:Zk3vN8qRt5wYx2bC7dF9gH1jL4mP6sU0aE3iO5nQ8rT',
          inventory: inventory(row), inventory_at: (row.last_seen ?? world.now()) - 1_800,
        }
      },
    },
    '/api/v1/endpoints/{id}/jobs': {
      get: ({ path, query }) => {
        find(path.id)
        const rows = world.jobs.toSorted((a, b) => b.row.at - a.row.at).flatMap((job) => {
          const target = targetsOf(world, job).find((one) => one.endpoint === path.id)
          return target ? [{ job: rowOf(job), target }] : []
        })
        return parted(rows, query)
      },
    },
    '/api/v1/endpoints/{id}/receipts': {
      get: ({ path, query }) => {
        find(path.id)
        const rows = world.jobs.flatMap((job) => receipts(world, job).filter((row) => row.endpoint === path.id)).toSorted((a, b) => b.t1 - a.t1)
        return { ...parted(rows, query), bad: 0 }
      },
    },
    '/api/v1/endpoints/{id}/admit': {
      post: ({ path }) => {
        find(path.id).state = 'connected'
        return {}
      },
    },
    '/api/v1/endpoints/{id}/refresh': { post: ({ path }) => (find(path.id), {}) },
  }
  return routes
}

/** As the operator process writes it; the rules of such files are tested there. */
function cell(row: EndpointRow, column: string): string {
  const cells: Record<string, string | number | null | undefined> = { name: row.hostname, state: row.state, tenant: row.tenant, site: row.site, system: row.os, last_heard: row.last_seen, id: row.id }
  return JSON.stringify(String(cells[column] ?? ''))
}

function inventory(row: EndpointRow) {
  return {
    hostname: row.hostname,
    os: { name: row.os, kernel: '6.1.0-28-amd64', arch: 'x86_64' },
    cpu: { model: 'Example CPU 8-Core', cores: 8 },
    memory: { total_mib: 16_384 },
    disks: [{ path: '/', total_gib: 476, free_gib: 211 }, { path: '/srv', total_gib: 1_862, free_gib: 97 }],
    network: [{ name: 'eth0', addresses: ['192.0.2.17', 'fe80::5054:ff:fe12:3456'] }],
    agent: { version: '0.2.0', jobs: 'cgroup v2, delegated' },
    note: row.hostname.length > 60 ? row.hostname : 'as reported',
  }
}
