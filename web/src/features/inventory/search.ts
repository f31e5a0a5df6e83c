import { optionalText } from '~/lib/search-params'

/** A query of the inventory, and from which row on. */
export type InventorySearch = { q?: string | undefined; offset?: number | undefined }

/** As the server bounds a query. */
export const queryMax = 512

export function parseInventorySearch(raw: Record<string, unknown>): InventorySearch {
  const offset = typeof raw.offset === 'number' && Number.isInteger(raw.offset) && raw.offset > 0 ? raw.offset : undefined
  return { q: optionalText(raw.q, queryMax), offset }
}

export const examples = [
  ['openssl', 'every endpoint with this word anywhere'],
  ['package:openssl<3.0.14', 'a package, older than a version'],
  ['port:3389', 'who listens on a port'],
  ['os:debian -package:nginx', 'a system, and without a package'],
  ['service:docker tag:vip', 'a service, and a tag'],
  ['field.warranty<2027-01-01', 'a custom field'],
] as const
