import type { FleetParams } from '~/api/queries'
import type { FleetColumn, SavedView } from '~/api/schema'
import { oneOf, optionalText, texts } from '~/lib/search-params'

/** What of the fleet is shown; it is the address of the page, so that a view can be kept and sent. */
export type FleetSearch = {
  q?: string | undefined
  tenant?: string | undefined
  site?: string | undefined
  state?: 'connected' | 'away' | 'quarantined' | undefined
  sort?: 'hostname' | 'tenant' | 'os' | 'last_seen' | undefined
  desc?: boolean | undefined
  /** Which columns, in which order; the ones that this browser remembers unless said. */
  cols?: FleetColumn[] | undefined
  /** The name of the view it was opened as. */
  view?: string | undefined
}

/** In the order in which they stand where nobody has chosen. */
export const allColumns = ['name', 'state', 'tenant', 'site', 'system', 'last_heard', 'id'] as const satisfies readonly FleetColumn[]

/** Known names, each once; the first column is what a row is called by, so the name is always there. */
export function columnsOf(names: readonly string[] | null | undefined): FleetColumn[] | undefined {
  if (!names) return undefined
  const found = allColumns.filter((column) => names.includes(column)).toSorted((a, b) => names.indexOf(a) - names.indexOf(b))
  if (found.length === 0) return undefined
  return found.includes('name') ? found : ['name', ...found]
}

export function parseFleetSearch(raw: Record<string, unknown>): FleetSearch {
  return {
    q: optionalText(raw.q),
    tenant: optionalText(raw.tenant),
    site: optionalText(raw.site),
    state: oneOf(raw.state, ['connected', 'away', 'quarantined'] as const),
    sort: oneOf(raw.sort, ['hostname', 'tenant', 'os', 'last_seen'] as const),
    desc: raw.desc === true ? true : undefined,
    cols: columnsOf(texts(raw.cols, allColumns.length)),
    view: optionalText(raw.view, 60),
  }
}

/** The address of a view that is kept. */
export function searchOf(view: SavedView): FleetSearch {
  return {
    q: view.search ?? undefined,
    tenant: view.tenant ?? undefined,
    site: view.site ?? undefined,
    state: view.state ?? undefined,
    sort: view.sort ?? undefined,
    desc: view.descending ? true : undefined,
    cols: columnsOf(view.columns),
    view: view.name,
  }
}

/** What is shown, to be kept under a name. */
export function viewOf(name: string, search: FleetSearch, columns: readonly FleetColumn[]): SavedView {
  return {
    name,
    search: search.q ?? null,
    tenant: search.tenant ?? null,
    site: search.site ?? null,
    state: search.state ?? null,
    sort: search.sort ?? null,
    descending: search.desc === true,
    columns: [...columns],
  }
}

/** Whether a view is shown as it was kept. */
export function isShownAs(view: SavedView, search: FleetSearch, columns: readonly FleetColumn[]): boolean {
  const plain = (one: SavedView) => JSON.stringify([one.search ?? '', one.tenant ?? '', one.site ?? '', one.state ?? '', one.sort ?? 'hostname', one.descending === true, columnsOf(one.columns) ?? allColumns])
  return plain(view) === plain(viewOf(view.name, search, columns))
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
