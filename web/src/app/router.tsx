import { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'

import { fleetWindowQuery, foundingQuery, inboxQuery, jobQuery, jobsQuery, logsQuery, meQuery, scriptsQuery, treeQuery, trustQuery } from '~/api/queries'
import { parseAlertsSearch } from '~/features/alerts/search'
import { parseAuditSearch } from '~/features/audit/search'
import { parseEndpointSearch } from '~/features/endpoint/search'
import { filtersOf, parseFleetSearch } from '~/features/fleet/search'
import { parseFreezesSearch } from '~/features/freeze/search'
import { parseJobSearch, parseJobsSearch } from '~/features/jobs/search'
import { parseLogSearch } from '~/features/logs/search'
import { parseInventorySearch } from '~/features/inventory/search'
import { parseWriteSearch } from '~/features/policies/search'
import { parseRunSearch } from '~/features/run/search'
import { parseScriptsSearch } from '~/features/scripts/search'
import { StartPage } from '~/features/start/StartPage'
import { parseTrustSearch } from '~/features/trust/search'
import { optionalText } from '~/lib/search-params'

import { Crashed, NoSuchPage } from './Broken'
import { Shell } from './Shell'

const root = createRootRouteWithContext<{ queries: QueryClient }>()({ notFoundComponent: NoSuchPage })

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  loader: ({ context }) => {
    // Begun early, waited for by nobody: the page shows what it has.
    void context.queries.prefetchQuery(meQuery())
  },
})
const parent = () => shell

const start = createRoute({ getParentRoute: parent, path: '/', component: StartPage })

const fleet = createRoute({
  getParentRoute: parent,
  path: '/fleet',
  validateSearch: parseFleetSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => {
    void context.queries.prefetchQuery(treeQuery())
    void context.queries.prefetchQuery(fleetWindowQuery({ ...filtersOf(deps), offset: 0, limit: 100 }))
  },
  component: lazyRouteComponent(() => import('~/features/fleet/FleetPage'), 'FleetPage'),
})

const endpoint = createRoute({
  getParentRoute: parent,
  path: '/endpoints/$id',
  validateSearch: parseEndpointSearch,
  component: lazyRouteComponent(() => import('~/features/endpoint/EndpointPage'), 'EndpointPage'),
})

const alerts = createRoute({
  getParentRoute: parent,
  path: '/alerts',
  validateSearch: parseAlertsSearch,
  component: lazyRouteComponent(() => import('~/features/alerts/AlertsPage'), 'AlertsPage'),
})

const alertRules = createRoute({
  getParentRoute: parent,
  path: '/alerts/rules',
  component: lazyRouteComponent(() => import('~/features/alerts/RulesPage'), 'RulesPage'),
})

const alert = createRoute({
  getParentRoute: parent,
  path: '/alerts/$id',
  component: lazyRouteComponent(() => import('~/features/alerts/AlertPage'), 'AlertPage'),
})

const policies = createRoute({
  getParentRoute: parent,
  path: '/policies',
  component: lazyRouteComponent(() => import('~/features/policies/PoliciesPage'), 'PoliciesPage'),
})

const writePolicy = createRoute({
  getParentRoute: parent,
  path: '/policies/write',
  validateSearch: parseWriteSearch,
  component: lazyRouteComponent(() => import('~/features/policies/WritePage'), 'WritePage'),
})

const policy = createRoute({
  getParentRoute: parent,
  path: '/policies/$id',
  component: lazyRouteComponent(() => import('~/features/policies/PolicyPage'), 'PolicyPage'),
})

const inventory = createRoute({
  getParentRoute: parent,
  path: '/inventory',
  validateSearch: parseInventorySearch,
  component: lazyRouteComponent(() => import('~/features/inventory/SearchPage'), 'SearchPage'),
})

const approvals = createRoute({
  getParentRoute: parent,
  path: '/approvals',
  validateSearch: (raw: Record<string, unknown>): { id?: string | undefined } => ({ id: optionalText(raw.id) }),
  loader: ({ context }) => void context.queries.prefetchQuery(inboxQuery()),
  component: lazyRouteComponent(() => import('~/features/approvals/ApprovalsPage'), 'ApprovalsPage'),
})

const run = createRoute({
  getParentRoute: parent,
  path: '/run',
  validateSearch: parseRunSearch,
  component: lazyRouteComponent(() => import('~/features/run/RunPage'), 'RunPage'),
})

const scripts = createRoute({
  getParentRoute: parent,
  path: '/scripts',
  validateSearch: parseScriptsSearch,
  loader: ({ context }) => void context.queries.prefetchQuery(scriptsQuery()),
  component: lazyRouteComponent(() => import('~/features/scripts/ScriptsPage'), 'ScriptsPage'),
})

const jobs = createRoute({
  getParentRoute: parent,
  path: '/jobs',
  validateSearch: parseJobsSearch,
  loader: ({ context }) => void context.queries.prefetchQuery(jobsQuery({ offset: 0, limit: 100 })),
  component: lazyRouteComponent(() => import('~/features/jobs/JobsPage'), 'JobsPage'),
})

const job = createRoute({
  getParentRoute: parent,
  path: '/jobs/$id',
  validateSearch: parseJobSearch,
  loader: ({ context, params }) => void context.queries.prefetchQuery(jobQuery(params.id)),
  component: lazyRouteComponent(() => import('~/features/jobs/JobPage'), 'JobPage'),
})

const orders = createRoute({
  getParentRoute: parent,
  path: '/orders',
  component: lazyRouteComponent(() => import('~/features/orders/OrdersPage'), 'OrdersPage'),
})

const freezes = createRoute({
  getParentRoute: parent,
  path: '/freezes',
  validateSearch: parseFreezesSearch,
  component: lazyRouteComponent(() => import('~/features/freeze/FreezesPage'), 'FreezesPage'),
})

const trust = createRoute({
  getParentRoute: parent,
  path: '/trust',
  validateSearch: parseTrustSearch,
  loader: ({ context }) => void context.queries.prefetchQuery(trustQuery()),
  component: lazyRouteComponent(() => import('~/features/trust/TrustPage'), 'TrustPage'),
})

const log = createRoute({
  getParentRoute: parent,
  path: '/log',
  validateSearch: parseLogSearch,
  loader: ({ context }) => void context.queries.prefetchQuery(logsQuery()),
  component: lazyRouteComponent(() => import('~/features/logs/LogPage'), 'LogPage'),
})

const audit = createRoute({
  getParentRoute: parent,
  path: '/audit',
  validateSearch: parseAuditSearch,
  component: lazyRouteComponent(() => import('~/features/audit/AuditPage'), 'AuditPage'),
})

const found = createRoute({
  getParentRoute: parent,
  path: '/found',
  loader: ({ context }) => void context.queries.prefetchQuery(foundingQuery()),
  component: lazyRouteComponent(() => import('~/features/found/FoundPage'), 'FoundPage'),
})

const join = createRoute({
  getParentRoute: parent,
  path: '/join',
  loader: ({ context }) => void context.queries.prefetchQuery(foundingQuery()),
  component: lazyRouteComponent(() => import('~/features/found/JoinPage'), 'JoinPage'),
})

const settings = createRoute({
  getParentRoute: parent,
  path: '/settings',
  component: lazyRouteComponent(() => import('~/features/settings/SettingsPage'), 'SettingsPage'),
})

const tree = root.addChildren([shell.addChildren([start, fleet, endpoint, alerts, alertRules, alert, policies, writePolicy, policy, inventory, approvals, run, scripts, jobs, job, orders, freezes, trust, log, audit, settings, found, join])])

/** Every address there is, with the names of its parts: what tests must cover. */
export const addresses = (): string[] => Object.keys(makeRouter(new QueryClient()).routesByPath)

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: Crashed,
    defaultNotFoundComponent: NoSuchPage,
    // Scripts in the page are forbidden; its own restoration writes one.
    scrollRestoration: false,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
