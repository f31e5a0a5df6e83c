import { type QueryClient, keepPreviousData, queryOptions } from '@tanstack/react-query'

import type { SignableAction } from './actions'
import { answer, api } from './client'
import { assertWithPasskey, createPasskey } from './passkey'
import type { CardRequest, FleetWindow, FoundRequest, Me, OrderTrigger, PaperCheck, PasskeyCard, PersonRequest, PreviewRequest, SavedView, ScriptFiles, ScriptToKeep, Sheet, Signed, paths } from './schema'

export type FleetParams = NonNullable<paths['/api/v1/endpoints']['get']['parameters']['query']>
type JobsParams = NonNullable<paths['/api/v1/jobs']['get']['parameters']['query']>
type TargetsParams = NonNullable<paths['/api/v1/jobs/{id}/targets']['get']['parameters']['query']>
export type AuditParams = NonNullable<paths['/api/v1/audit']['get']['parameters']['query']>
type PartParams = { offset?: number; limit?: number }

// News say when something changed; between them a look now and then is enough, in case a stream broke unseen.
const now_and_then = { staleTime: 10_000, refetchInterval: 30_000 }
// Statements never change: their bytes are their name.
const unchanging = { staleTime: Number.POSITIVE_INFINITY }

export const meQuery = () =>
  queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => answer(api.GET('/api/v1/me', { signal })), ...now_and_then })

/** Whether this console belongs to no organisation. Until the process has said so, nobody knows. */
export const outsideOf = (me: Me | undefined): boolean => me?.standing === 'no_organisation'

/** There is nothing to look at before it is known that there is an organisation. */
export const overviewQuery = (me: Me | undefined) =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/overview', { signal })),
    enabled: me !== undefined && !outsideOf(me),
    ...now_and_then,
  })

export const treeQuery = () =>
  queryOptions({ queryKey: ['fleet', 'tree'], queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/tree', { signal })), ...now_and_then })

export function fetchFleetWindow(query: FleetParams, signal?: AbortSignal): Promise<FleetWindow> {
  return answer(api.GET('/api/v1/endpoints', { params: { query }, ...(signal ? { signal } : {}) }))
}

export const fleetWindowQuery = (params: FleetParams) =>
  queryOptions({
    queryKey: ['fleet', 'window', params],
    queryFn: ({ signal }) => fetchFleetWindow(params, signal),
    placeholderData: keepPreviousData,
    ...now_and_then,
  })

/** Lists that somebody keeps. They change here only. */
export const viewsQuery = () =>
  queryOptions({ queryKey: ['views'], queryFn: ({ signal }) => answer(api.GET('/api/v1/views', { signal })), staleTime: 60_000 })

export function keepView(body: SavedView) {
  return answer(api.POST('/api/v1/views', { body }))
}

export function forgetView(name: string) {
  return answer(api.POST('/api/v1/views/forget', { body: { name } }))
}

/** Scripts that somebody keeps, and what the jobs log says about them. */
export const scriptsQuery = () =>
  queryOptions({ queryKey: ['scripts'], queryFn: ({ signal }) => answer(api.GET('/api/v1/scripts', { signal })), ...now_and_then })

export const scriptVersionQuery = (name: string, sha256: string, since: string | undefined) =>
  queryOptions({
    queryKey: ['script', name, sha256, since],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/scripts/{name}/versions/{sha256}', { params: { path: { name, sha256 }, query: since ? { since } : {} }, signal })),
    ...unchanging,
  })

export function keepScript(body: ScriptToKeep) {
  return answer(api.POST('/api/v1/scripts', { body }))
}

export function forgetScript(name: string) {
  return answer(api.POST('/api/v1/scripts/forget', { body: { name } }))
}

export function importScripts(body: ScriptFiles) {
  return answer(api.POST('/api/v1/scripts/import', { body }))
}

export const endpointQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'endpoint', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

export const endpointJobsQuery = (id: string, part: PartParams) =>
  queryOptions({
    queryKey: ['jobs', 'of', id, part],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/jobs', { params: { path: { id }, query: part }, signal })),
    placeholderData: keepPreviousData,
  })

export const endpointReceiptsQuery = (id: string, part: PartParams) =>
  queryOptions({
    queryKey: ['jobs', 'receipts of', id, part],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/receipts', { params: { path: { id }, query: part }, signal })),
    placeholderData: keepPreviousData,
  })

export const inventoryQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'inventory', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/inventory', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

export const inventorySectionQuery = (id: string, section: string) =>
  queryOptions({
    queryKey: ['fleet', 'inventory', id, section],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/inventory/{section}', { params: { path: { id, section } }, signal })),
    ...now_and_then,
  })

export const inventoryChangesQuery = (id: string, query: { section?: string; limit?: number }) =>
  queryOptions({
    queryKey: ['fleet', 'changes', id, query],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/changes', { params: { path: { id }, query }, signal })),
    placeholderData: keepPreviousData,
    ...now_and_then,
  })

export const jobsQuery = (params: JobsParams) =>
  queryOptions({
    queryKey: ['jobs', 'window', params],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs', { params: { query: params }, signal })),
    placeholderData: keepPreviousData,
    ...now_and_then,
  })

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

export const jobTargetsQuery = (id: string, params: TargetsParams) =>
  queryOptions({
    queryKey: ['jobs', 'targets', id, params],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}/targets', { params: { path: { id }, query: params }, signal })),
    placeholderData: keepPreviousData,
  })

export const jobReceiptsQuery = (id: string, part: PartParams) =>
  queryOptions({
    queryKey: ['jobs', 'receipts', id, part],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}/receipts', { params: { path: { id }, query: part }, signal })),
    placeholderData: keepPreviousData,
  })

export const rolloutQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'rollout', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}/rollout', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

export const inboxQuery = () =>
  queryOptions({ queryKey: ['approvals'], queryFn: ({ signal }) => answer(api.GET('/api/v1/approvals', { signal })), ...now_and_then })

export const ordersQuery = () =>
  queryOptions({ queryKey: ['jobs', 'orders'], queryFn: ({ signal }) => answer(api.GET('/api/v1/orders', { signal })), ...now_and_then })

/** When an order would run. Nothing is signed, and nobody is asked. */
export const orderPlanQuery = (body: OrderTrigger) =>
  queryOptions({
    queryKey: ['order plan', body],
    queryFn: ({ signal }) => answer(api.POST('/api/v1/orders/plan', { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  })

export const freezesQuery = () =>
  queryOptions({ queryKey: ['freezes'], queryFn: ({ signal }) => answer(api.GET('/api/v1/freezes', { signal })), ...now_and_then })

export const freezeQuery = (id: string) =>
  queryOptions({
    queryKey: ['freezes', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/freezes/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (query) => ((query.state.data?.missing ?? 1) > 0 ? 2_000 : 15_000),
  })

export const trustQuery = () =>
  queryOptions({ queryKey: ['trust'], queryFn: ({ signal }) => answer(api.GET('/api/v1/trust', { signal })), ...now_and_then })

export const historyQuery = () =>
  queryOptions({ queryKey: ['trust', 'history'], queryFn: ({ signal }) => answer(api.GET('/api/v1/trust/history', { signal })), ...now_and_then })

export const logsQuery = () =>
  queryOptions({ queryKey: ['logs'], queryFn: ({ signal }) => answer(api.GET('/api/v1/logs', { signal })), staleTime: 30_000 })

export const entriesQuery = (name: string, part: PartParams) =>
  queryOptions({
    queryKey: ['logs', name, 'entries', part],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/logs/{name}/entries', { params: { path: { name }, query: part }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })

export const entryQuery = (name: string, index: number) =>
  queryOptions({
    queryKey: ['logs', name, 'entry', index],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/logs/{name}/entries/{index}', { params: { path: { name, index } }, signal })),
    ...unchanging,
  })

export const auditQuery = (params: AuditParams) =>
  queryOptions({
    queryKey: ['logs', 'audit', params],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/audit', { params: { query: params }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })

export const previewQuery = (body: PreviewRequest) =>
  queryOptions({
    queryKey: ['preview', body],
    queryFn: ({ signal }) => answer(api.POST('/api/v1/preview', { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    retry: false,
  })

/** Asks the operator process for the statement and its sheet. Nothing is signed by that. */
export function makeSheet(action: SignableAction, signal?: AbortSignal): Promise<Sheet> {
  const options = signal ? { signal } : {}
  switch (action.kind) {
    case 'job':
      return answer(api.POST('/api/v1/sheets/job', { body: action.body, ...options }))
    case 'approval':
      return answer(api.POST('/api/v1/sheets/approval', { body: action.body, ...options }))
    case 'policy':
      return answer(api.POST('/api/v1/sheets/policy', { body: action.body, ...options }))
    case 'policy_approval':
      return answer(api.POST('/api/v1/sheets/policy-approval', { body: action.body, ...options }))
    case 'policy_withdrawal':
      return answer(api.POST('/api/v1/sheets/policy-withdrawal', { body: action.body, ...options }))
    case 'promotion':
      return answer(api.POST('/api/v1/sheets/promotion', { body: action.body, ...options }))
    case 'freeze':
      return answer(api.POST('/api/v1/sheets/freeze', { body: action.body, ...options }))
    case 'thaw':
      return answer(api.POST('/api/v1/sheets/thaw', { body: action.body, ...options }))
    case 'veto':
      return answer(api.POST('/api/v1/sheets/veto', { body: action.body, ...options }))
    case 'withdrawal':
      return answer(api.POST('/api/v1/sheets/withdrawal', { body: action.body, ...options }))
    case 'enrolment':
      return answer(api.POST('/api/v1/sheets/enrolment', { body: action.body, ...options }))
    case 'person':
      return answer(api.POST('/api/v1/sheets/person', { body: action.body, ...options }))
    case 'threshold':
      return answer(api.POST('/api/v1/sheets/threshold', { body: action.body, ...options }))
    case 'genesis':
      return answer(api.POST('/api/v1/sheets/genesis', options))
    case 'countersign':
      return answer(api.POST('/api/v1/sheets/countersign', { body: action.body, ...options }))
    case 'join':
      return answer(api.POST('/api/v1/sheets/join', { body: action.body, ...options }))
    case 'login':
      return answer(api.POST('/api/v1/sheets/login', options))
  }
}

/** Signs exactly what the sheet showed: its token, its digest and its words go back together. */
export async function signSheet(sheet: Sheet): Promise<Signed> {
  const assertion = sheet.passkey ? await assertWithPasskey(sheet.passkey) : undefined
  const { token, id, words } = sheet
  return answer(api.POST('/api/v1/sign', { body: { token, id, words, ...(assertion ? { assertion } : {}) } }))
}

export const passkeysQuery = () =>
  queryOptions({ queryKey: ['passkeys'], queryFn: ({ signal }) => answer(api.GET('/api/v1/passkeys', { signal })) })

/** Makes a passkey in the browser and registers its public half with the operator process. */
export async function registerPasskey(who: { id: string; name: string }, mayBeSynced: boolean): Promise<PasskeyCard> {
  const options = await answer(api.POST('/api/v1/passkeys/options'))
  const made = await createPasskey(options, who)
  return answer(api.POST('/api/v1/passkeys', { body: { ...who, ...made, may_be_synced: mayBeSynced } }))
}

/** How far this console is on its way into an organisation. Asks the server while something waits there. */
export const foundingQuery = () =>
  queryOptions({
    queryKey: ['founding'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/founding', { signal })),
    refetchInterval: (query) => (query.state.data?.waiting ? 3_000 : false),
  })

export function makeCard(body: CardRequest) {
  return answer(api.POST('/api/v1/founding/card', { body }))
}

export function comparePerson(body: PersonRequest) {
  return answer(api.POST('/api/v1/founding/person', { body }))
}

/** Composes the first bundle. The recovery sheets and their passphrases are in this answer and in no other. */
export function composeFounding(body: FoundRequest) {
  return answer(api.POST('/api/v1/founding/draft', { body }))
}

export function checkPassphrase(body: PaperCheck) {
  return answer(api.POST('/api/v1/founding/check', { body }))
}

export function publishFounding() {
  return answer(api.POST('/api/v1/founding/publish'))
}

export function forgetFounding() {
  return answer(api.POST('/api/v1/founding/forget'))
}

export function admitEndpoint(id: string) {
  return answer(api.POST('/api/v1/endpoints/{id}/admit', { params: { path: { id } } }))
}

export function refreshEndpoint(id: string) {
  return answer(api.POST('/api/v1/endpoints/{id}/refresh', { params: { path: { id } } }))
}

/** What each kind of news makes old. */
export function forget(queries: QueryClient, keys: readonly string[]): void {
  for (const key of keys) void queries.invalidateQueries({ queryKey: [key] })
}
