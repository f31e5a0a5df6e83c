import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'
import type { AlertDeedKind, AlertsWindow, ManyDone, MaintenanceWindow, paths } from './schema'

export type AlertsParams = NonNullable<paths['/api/v1/alerts']['get']['parameters']['query']>

/** As many as one request of a deed takes. */
const atOnce = 200

const now_and_then = { staleTime: 10_000, refetchInterval: 30_000 }

export function fetchAlerts(query: AlertsParams, signal?: AbortSignal): Promise<AlertsWindow> {
  return answer(api.GET('/api/v1/alerts', { params: { query }, ...(signal ? { signal } : {}) }))
}

export const alertsQuery = (params: AlertsParams) =>
  queryOptions({
    queryKey: ['alerts', 'window', params],
    queryFn: ({ signal }) => fetchAlerts(params, signal),
    placeholderData: keepPreviousData,
    ...now_and_then,
  })

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/alerts/{id}', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

export const alertRulesQuery = () =>
  queryOptions({ queryKey: ['alerts', 'rules'], queryFn: ({ signal }) => answer(api.GET('/api/v1/alerts/rules', { signal })), ...now_and_then })

/** In parts, one after the other; what does not work with one is told at the end. */
async function inParts(ids: readonly string[], act: (part: string[]) => Promise<ManyDone>): Promise<ManyDone> {
  const all: ManyDone = { done: 0, left: [] }
  for (let at = 0; at < ids.length; at += atOnce) {
    const part = await act(ids.slice(at, at + atOnce))
    all.done += part.done
    all.left.push(...part.left)
  }
  return all
}

export function doWithAlerts(ids: readonly string[], deed: AlertDeedKind, note: string): Promise<ManyDone> {
  return inParts(ids, (part) => answer(api.POST('/api/v1/alerts/deeds', { body: { ids: part, deed, note } })))
}

export function tellMe(endpoints: readonly string[], channel: string): Promise<ManyDone> {
  return inParts(endpoints, (part) => answer(api.POST('/api/v1/alerts/tell-me', { body: { endpoints: part, channel } })))
}

export function makeWindow(base: number, window: MaintenanceWindow) {
  return answer(api.POST('/api/v1/alerts/windows', { body: { base, window } }))
}

export function endWindow(base: number, name: string) {
  return answer(api.POST('/api/v1/alerts/windows/end', { body: { base, name } }))
}
