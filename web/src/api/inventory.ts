import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'

/** Endpoints that fit a query over every field of the fleet. */
export const findQuery = (query: string, offset: number, limit: number) =>
  queryOptions({
    queryKey: ['fleet', 'find', query, offset, limit],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/inventory/search', { params: { query: { query, offset, limit } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
  })
