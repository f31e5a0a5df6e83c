import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { answer, api } from './client'

/** The last so many seconds of an endpoint; asked for again as often as it measures. */
export const seriesQuery = (id: string, span: number, step_s: number) =>
  queryOptions({
    queryKey: ['series', id, span, step_s],
    queryFn: ({ signal }) => {
      const to = Math.floor(Date.now() / 1000)
      return answer(api.GET('/api/v1/endpoints/{id}/series', { params: { path: { id }, query: { from: to - span, to, step_s } }, signal }))
    },
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    refetchInterval: 30_000,
  })
