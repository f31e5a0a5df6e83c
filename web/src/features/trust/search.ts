import { oneOf } from '~/lib/search-params'

export const tabs = ['people', 'classes', 'history', 'bundle'] as const
export type TrustSearch = { tab?: (typeof tabs)[number] | undefined }

export function parseTrustSearch(raw: Record<string, unknown>): TrustSearch {
  return { tab: oneOf(raw.tab, tabs) }
}
