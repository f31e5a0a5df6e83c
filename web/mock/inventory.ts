import type { EndpointRow, InventoryItem } from '~/api/schema'

import { Refused, absent, requireServer } from './handlers'
import { hostileNames } from './hostile'
import type { Handlers } from './transport'
import type { World } from './world'

type Routes = '/api/v1/endpoints/{id}/inventory' | '/api/v1/endpoints/{id}/inventory/{section}' | '/api/v1/endpoints/{id}/changes' | '/api/v1/inventory/search'

/** A machine in sections; a hostile one puts into them what it puts into its name. */
export function inventoryHandlers(world: World): Pick<Handlers, Routes> {
  const find = (id: string) => {
    requireServer(world)
    const row = world.byId.get(id)
    if (!row) throw absent('endpoint')
    return row
  }
  const brief = (row: EndpointRow, name: string, items: number) => ({ name, items, at: (row.last_seen ?? world.now()) - 86_400, own_at: (row.last_seen ?? world.now()) - 1_800 })
  return {
    '/api/v1/endpoints/{id}/inventory': {
      get: ({ path }) => {
        const row = find(path.id)
        return {
          sections: Object.entries(sectionsOf(row)).map(([name, items]) => brief(row, name, items.length)),
          tags: row.state === 'quarantined' ? [] : ['vip'],
          fields: row.tenant ? [{ name: 'warranty', value: '2027-06-30', scope: 'tenant' }] : [],
        }
      },
    },
    '/api/v1/endpoints/{id}/inventory/{section}': {
      get: ({ path }) => {
        const row = find(path.id)
        const items = sectionsOf(row)[path.section]
        if (!items) throw absent('section of this endpoint')
        return { section: brief(row, path.section, items.length), items }
      },
    },
    '/api/v1/endpoints/{id}/changes': {
      get: ({ path, query }) => {
        const row = find(path.id)
        const name = isHostile(row) ? row.hostname : 'openssl:amd64'
        const changes = [
          { section: 'packages', key: name, at: world.now() - 7_200, kind: 'changed', facts: [{ name: 'version', before: '3.0.11-1~deb12u2', after: '3.0.14-1~deb12u1' }] },
          { section: 'ports', key: 'tcp 0.0.0.0:3389', at: world.now() - 90_000, kind: 'new', facts: [{ name: 'process', after: 'xrdp' }] },
          { section: 'services', key: 'telnetd', at: world.now() - 400_000, kind: 'gone', facts: [{ name: 'state', before: 'running' }] },
        ]
        return { changes: changes.filter((change) => !query.section || change.section === query.section) }
      },
    },
    '/api/v1/inventory/search': {
      get: ({ query }) => {
        requireServer(world)
        if (query.query.trim() === '') throw new Refused(400, 'query.malformed', 'the query is empty', 'write words, or `package:nginx`')
        const rows = world.endpoints.filter((row) => row.state !== 'quarantined' && `${row.hostname} ${row.os}`.toLowerCase().includes(query.query.toLowerCase()))
        const { offset = 0, limit = 100 } = query
        return {
          total: rows.length,
          not_judged: 3,
          offset,
          rows: rows.slice(offset, offset + limit).map((row) => ({
            id: row.id,
            hostname: row.hostname,
            ...(row.tenant ? { tenant: row.tenant } : {}),
            ...(row.site ? { site: row.site } : {}),
            hits: [{ section: 'os', key: 'hostname' }],
          })),
        }
      },
    },
  }
}

const isHostile = (row: EndpointRow) => hostileNames.includes(row.hostname)

function sectionsOf(row: EndpointRow): Record<string, InventoryItem[]> {
  const item = (key: string, facts: Record<string, string>): InventoryItem => ({ key, facts: Object.entries(facts).map(([name, value]) => ({ name, value })) })
  const odd = isHostile(row) ? [item(row.hostname, { [row.hostname]: row.hostname, value: row.hostname })] : []
  return {
    hardware: [
      item('cpu', { model: 'Example CPU 8-Core', count: '8' }),
      item('memory', { total: '17179869184', swap: '0' }),
      item('model', { value: 'PowerBox 640' }),
      item('serial', { value: 'ABC1234' }),
      item('vendor', { value: 'Example Inc.' }),
    ],
    os: [...odd, item('hostname', { value: row.hostname }), item('kernel', { value: '6.1.0-28-amd64' }), item('name', { value: row.os }), item('time_zone', { value: 'Europe/Berlin' })],
    packages: [
      item('nginx:amd64', { arch: 'amd64', manager: 'dpkg', name: 'nginx', version: '1.22.1-9' }),
      item('openssl:amd64', { arch: 'amd64', manager: 'dpkg', name: 'openssl', version: '3.0.14-1~deb12u1' }),
      { key: 'rpm', unknown: 'its database is read by rpm only, and the guard starts no program for an inventory', facts: [] },
    ],
    ports: [item('tcp 0.0.0.0:22', { address: '0.0.0.0', port: '22', process: 'sshd', protocol: 'tcp', user: 'root' })],
  }
}
