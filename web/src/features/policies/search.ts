import { optionalText } from '~/lib/search-params'

/** What a policy is written from: the one of the product, or one that is there. And for whom. */
export type WriteSearch = { from?: string | undefined; tenant?: string | undefined; site?: string | undefined; endpoint?: string | undefined }

export function parseWriteSearch(raw: Record<string, unknown>): WriteSearch {
  return { from: optionalText(raw.from), tenant: optionalText(raw.tenant), site: optionalText(raw.site), endpoint: optionalText(raw.endpoint) }
}
