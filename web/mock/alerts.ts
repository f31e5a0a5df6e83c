import type { AlertEvent, AlertItem, AlertRules } from '~/api/schema'

import { Refused, absent, requireServer } from './handlers'
import { hostileNames } from './hostile'
import { parted } from './fleet'
import type { Handlers } from './transport'
import type { World } from './world'

type Routes =
  | '/api/v1/alerts'
  | '/api/v1/alerts/{id}'
  | '/api/v1/alerts/deeds'
  | '/api/v1/alerts/tell-me'
  | '/api/v1/alerts/rules'
  | '/api/v1/alerts/windows'
  | '/api/v1/alerts/windows/end'

export type AlertBook = { alerts: AlertItem[]; history: Map<string, AlertEvent[]>; rules: AlertRules }

/** What needs somebody on a Friday morning; hostile endpoints write into every text that is theirs. */
export function alertBook(world: World, start: number): AlertBook {
  const { endpoints, random } = world
  const book: AlertBook = { alerts: [], history: new Map(), rules: rules(start, endpoints.length > 0) }
  const add = (alert: Omit<AlertItem, 'id' | 'hidden' | 'flapping' | 'changed'> & Partial<AlertItem>) => {
    const made = { id: random.id('al'), hidden: 0, flapping: false, changed: alert.since + 60, ...alert }
    book.alerts.push(made)
    book.history.set(made.id, [{ at: made.since + 60, claimed: made.since, what: 'opened', text: made.text }])
    return made
  }
  const of = (row: World['endpoints'][number]) => ({ endpoint: row.id, hostname: row.hostname, ...(row.tenant ? { tenant: row.tenant } : {}), ...(row.site ? { site: row.site } : {}) })
  hostileNames.forEach((name, at) => {
    const row = endpoints[at]
    if (row) add({ ...of(row), state: 'open', severity: at % 3 === 0 ? 'warning' : 'error', check: at % 2 === 0 ? name.slice(0, 64) : 'disk', instance: name.slice(0, 120), text: name, since: start - 500 - at * 40 })
  })
  const away = endpoints.filter((row) => row.state === 'away').slice(0, 24)
  away.forEach((row, at) => add({ ...of(row), state: at % 5 === 4 ? 'acknowledged' : 'open', severity: 'error', check: 'link', instance: '', text: 'not connected', since: (row.last_seen ?? start) + 90, ...(at % 5 === 4 ? { acknowledged: { name: 'Alice Example', at: start - 900, note: 'on my way there' } } : {}) }))
  const checks = [
    ['disk', '/var', '3 % of 120 GiB left; at most 5 is an error'],
    ['memory', '', '94 % in use; from 90 it is a warning'],
    ['nginx', 'nginx', 'no process in its cgroup'],
    ['backup', '', 'the newest file is 31 hours old; from 25 it is a warning'],
    ['reboot', '', 'a restart waits since an update of the kernel'],
  ] as const
  endpoints.filter((row) => row.state === 'connected').slice(20, 80).forEach((row, at) => {
    const [check, instance, text] = checks[at % checks.length] ?? checks[0]
    const over = at % 3 === 1
    add({ ...of(row), state: over ? 'resolved' : 'open', severity: check === 'disk' || check === 'nginx' ? 'error' : 'warning', check, instance, text, since: start - 4_000 - at * 700, ...(over ? { resolved: start - at * 300 } : {}), flapping: at === 6 })
  })
  const site = endpoints.find((row) => row.site)
  if (site?.tenant && site.site) {
    const cause = add({ tenant: site.tenant, site: site.site, state: 'open', severity: 'critical', check: 'site.link', instance: '', text: '7 of 9 endpoints are away since 2 minutes', since: start - 300 })
    for (const row of endpoints.filter((one) => one.site === site.site && one.state === 'away').slice(24, 31)) {
      add({ ...of(row), state: 'open', severity: 'error', check: 'link', instance: '', text: 'not connected', since: start - 280, hidden_by: cause.id })
      cause.hidden += 1
    }
  }
  return book
}

function rules(start: number, some: boolean): AlertRules {
  if (!some) return { version: 0, windows: [], routes: [], links: [], channels: [], history: [] }
  return {
    version: 3,
    windows: [
      { name: 'patch sunday', site: 'hq', check: 'service*', cron: '0 3 * * 0', zone: 'Europe/Berlin', minutes: 180 },
      { name: 'the move of the lab', tenant: 'acme', site: 'lab', from: start - 3_600, until: start + 7_200 },
      { name: hostileNames[3], tenant: 'birch', from: start - 90_000, until: start - 80_000 },
    ],
    routes: [
      { name: 'archive', applies: 'every alert', says: ['at once: siem', 'then the routes below, too'] },
      { name: 'by day', applies: 'error or worse, mon tue wed thu fri 08:00 to 18:00 in Europe/Berlin', says: ['at once: office', 'after 20 minutes, if nobody looks after it: tickets', 'again every 120 minutes'] },
    ],
    links: [{ applies: 'tenant acme, systems with “ubuntu 24.04 desktop” in their name', says: ['being away is not told'] }],
    channels: [{ name: 'office', kind: 'email' }, { name: 'tickets', kind: 'webhook' }, { name: 'siem', kind: 'syslog' }],
    history: [{ version: 3, at: start - 8_000, name: 'Bob Example' }, { version: 2, at: start - 90_000, name: 'Alice Example' }, { version: 1, at: start - 190_000, name: 'Alice Example' }],
  }
}

/** Alerts that are not behind another one and that nobody looks after. */
export function openAlerts(world: World): number {
  return world.alertBook.alerts.filter((alert) => alert.state === 'open' && !alert.hidden_by).length
}

export function tellAlerts(world: World): void {
  const acknowledged = world.alertBook.alerts.filter((alert) => alert.state === 'acknowledged').length
  world.news.tell('all', { kind: 'alerts', open: openAlerts(world), acknowledged, changed: world.now() })
}

export function alertHandlers(world: World): Pick<Handlers, Routes> {
  const { alertBook: book } = world
  const find = (id: string) => {
    requireServer(world)
    return book.alerts.find((one) => one.id === id)
  }
  const changeRules = (base: number, change: () => void) => {
    requireServer(world)
    if (base !== book.rules.version) throw new Refused(409, 'alert.rules_changed', 'somebody changed the rules since you read them', 'read them again, then change those')
    change()
    book.rules = { ...book.rules, version: base + 1, history: [{ version: base + 1, at: world.now(), name: 'Bob Example' }, ...book.rules.history] }
    return book.rules
  }
  return {
    '/api/v1/alerts': {
      get: ({ query }) => {
        requireServer(world)
        const wanted = query.search?.toLowerCase()
        const states = query.state == null || query.state === 'active' ? ['open', 'acknowledged'] : [query.state as string]
        const rows = book.alerts.filter(
          (alert) =>
            states.includes(alert.state) &&
            (!query.severity || alert.severity === query.severity) &&
            (!query.tenant || alert.tenant === query.tenant) &&
            (!query.site || alert.site === query.site) &&
            (!query.endpoint || alert.endpoint === query.endpoint) &&
            (query.behind ? alert.hidden_by === query.behind : query.hidden === true || !alert.hidden_by) &&
            (!wanted || `${alert.check} ${alert.instance} ${alert.text} ${alert.hostname ?? ''}`.toLowerCase().includes(wanted)),
        )
        return parted(rows.toSorted((a, b) => b.changed - a.changed), query)
      },
    },
    '/api/v1/alerts/deeds': {
      post: ({ body }) => {
        const left: { id: string; code: string; message: string }[] = []
        for (const id of body.ids) {
          const alert = find(id)
          if (!alert || (body.deed !== 'note' && alert.state === 'resolved')) {
            left.push({ id, code: 'alert.state', message: 'the alert is over, or does not need anybody yet' })
            continue
          }
          const at = world.now()
          if (body.deed === 'acknowledge') Object.assign(alert, { state: 'acknowledged', acknowledged: { name: 'Bob Example', at, note: body.note ?? '' } })
          if (body.deed === 'resolve') Object.assign(alert, { state: 'resolved', resolved: at })
          alert.changed = at
          const what = { acknowledge: 'acknowledged', resolve: 'resolved', note: 'note' }[body.deed]
          book.history.get(id)?.push({ at, what, name: 'Bob Example', text: body.note ?? '' })
        }
        tellAlerts(world)
        return { done: body.ids.length - left.length, left }
      },
    },
    '/api/v1/alerts/tell-me': {
      post: ({ body }) => {
        requireServer(world)
        const left = body.endpoints.filter((id) => world.byId.get(id)?.state !== 'away').map((id) => ({ id, code: 'endpoint.connected', message: 'the endpoint is connected now' }))
        return { done: body.endpoints.length - left.length, left }
      },
    },
    '/api/v1/alerts/rules': {
      get: () => {
        requireServer(world)
        return book.rules
      },
    },
    '/api/v1/alerts/windows': {
      post: ({ body }) =>
        changeRules(body.base, () => {
          if (book.rules.windows.some((one) => one.name === body.window.name)) throw new Refused(400, 'usage', `there is a window \`${body.window.name}\` already`, 'give it another name')
          book.rules = { ...book.rules, windows: [...book.rules.windows, body.window] }
        }),
    },
    '/api/v1/alerts/windows/end': {
      post: ({ body }) =>
        changeRules(body.base, () => {
          book.rules = { ...book.rules, windows: book.rules.windows.filter((one) => one.name !== body.name) }
        }),
    },
    // After the others: a path of words is not an id.
    '/api/v1/alerts/{id}': {
      get: ({ path }) => {
        const alert = find(path.id)
        if (!alert) throw absent('alert')
        return {
          alert,
          history: book.history.get(alert.id) ?? [],
          messages: alert.state === 'open' && alert.severity === 'error' ? [{ channel: 'office', state: 'sent', created: alert.changed, due: alert.changed + 2, tries: 1 }, { channel: 'tickets', state: 'waiting', created: alert.changed + 1_200, due: world.now() + 60, tries: 3, problem: `connect: ${alert.text}` }] : [],
          why: [
            { about: 'state', says: `it is ${alert.state}${alert.acknowledged ? ' by Alice Example: nothing more is sent unless it gets worse' : ''}` },
            { about: 'window', says: 'no maintenance window is open for it' },
            { about: 'route', says: `"by day" fits; instance ${alert.instance}` },
          ],
        }
      },
    },
  }
}
