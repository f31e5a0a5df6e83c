import { oneOf } from '~/lib/search-params'

export const tabs = ['overview', 'jobs', 'receipts', 'inventory'] as const
export type EndpointSearch = { tab?: (typeof tabs)[number] | undefined }

export function parseEndpointSearch(raw: Record<string, unknown>): EndpointSearch {
  return { tab: oneOf(raw.tab, tabs) }
}
