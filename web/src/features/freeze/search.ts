import { optionalText } from '~/lib/search-params'

export type FreezesSearch = { id?: string | undefined }

export function parseFreezesSearch(raw: Record<string, unknown>): FreezesSearch {
  return { id: optionalText(raw.id) }
}
