import { type Range, ranges } from '~/features/metrics/range'
import { oneOf } from '~/lib/search-params'

export const tabs = ['overview', 'checks', 'metrics', 'jobs', 'receipts', 'inventory'] as const
export type EndpointSearch = { tab?: (typeof tabs)[number] | undefined; range?: Range | undefined }

export function parseEndpointSearch(raw: Record<string, unknown>): EndpointSearch {
  return { tab: oneOf(raw.tab, tabs), range: oneOf(raw.range, ranges) }
}
