import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'
import type { PolicyRequest } from './schema'

const now_and_then = { staleTime: 10_000, refetchInterval: 30_000 }

export const policiesQuery = () =>
  queryOptions({ queryKey: ['policies'], queryFn: ({ signal }) => answer(api.GET('/api/v1/policies', { signal })), ...now_and_then })

export const policyQuery = (id: string) =>
  queryOptions({
    queryKey: ['policies', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/policies/{id}', { params: { path: { id } }, signal })),
    ...now_and_then,
  })

/** What a text would be as a policy. Nothing is signed by asking. */
export const verdictQuery = (body: PolicyRequest) =>
  queryOptions({
    queryKey: ['policy verdict', body],
    queryFn: ({ signal }) => answer(api.POST('/api/v1/policies/verdict', { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  })

export const endpointChecksQuery = (id: string) =>
  queryOptions({
    queryKey: ['policies', 'checks', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/endpoints/{id}/checks', { params: { path: { id } }, signal })),
    ...now_and_then,
  })
