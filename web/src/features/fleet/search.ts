import type { FleetParams } from '~/api/queries'
import { oneOf, optionalText } from '~/lib/search-params'

/** What of the fleet is shown; it is the address of the page, so that a view can be kept and sent. */
export type FleetSearch = {
  q?: string | undefined
  tenant?: string | undefined
  site?: string | undefined
  state?: 'connected' | 'away' | 'quarantined' | undefined
  sort?: 'hostname' | 'tenant' | 'os' | 'last_seen' | undefined
  desc?: boolean | undefined
}

export function parseFleetSearch(raw: Record<string, unknown>): FleetSearch {
  return {
    q: optionalText(raw.q),
    tenant: optionalText(raw.tenant),
    site: optionalText(raw.site),
    state: oneOf(raw.state, ['connected', 'away', 'quarantined'] as const),
    sort: oneOf(raw.sort, ['hostname', 'tenant', 'os', 'last_seen'] as const),
    desc: raw.desc === true ? true : undefined,
  }
}

/** As the API asks for it. */
export function filtersOf(search: FleetSearch): FleetParams {
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(search.tenant ? { tenant: search.tenant } : {}),
    ...(search.site ? { site: search.site } : {}),
    ...(search.state ? { state: search.state } : {}),
    ...(search.sort ? { sort: search.sort } : {}),
    ...(search.desc ? { descending: true } : {}),
  }
}

/** Filters that can be taken away one by one. */
export function chipsOf(search: FleetSearch): { name: string; without: Partial<FleetSearch> }[] {
  const chips = []
  if (search.tenant) {
    const name = search.tenant === 'none' ? 'no tenant' : `tenant ${search.tenant}`
    chips.push({ name, without: { tenant: undefined, site: undefined } })
  }
  if (search.site) chips.push({ name: `site ${search.site}`, without: { site: undefined } })
  return chips
}

/** A press on a head sorts by it, the next one the other way round. */
export function sortOf(search: FleetSearch, by: string): Partial<FleetSearch> {
  const sort = oneOf(by, ['hostname', 'tenant', 'os', 'last_seen'] as const)
  const same = (search.sort ?? 'hostname') === sort
  return { sort, desc: same && !search.desc ? true : undefined }
}
