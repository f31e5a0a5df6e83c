import type { AlertsParams } from '~/api/alerts'
import { oneOf, optionalText } from '~/lib/search-params'

export const states = ['active', 'open', 'acknowledged', 'resolved'] as const
export const severities = ['critical', 'error', 'warning'] as const

/** Which alerts are shown; it is the address of the page. */
export type AlertsSearch = {
  q?: string | undefined
  /** Open and acknowledged ones unless said. */
  state?: (typeof states)[number] | undefined
  severity?: (typeof severities)[number] | undefined
  tenant?: string | undefined
  site?: string | undefined
  endpoint?: string | undefined
  behind?: string | undefined
  hidden?: boolean | undefined
}

export function parseAlertsSearch(raw: Record<string, unknown>): AlertsSearch {
  const state = oneOf(raw.state, states)
  return {
    q: optionalText(raw.q),
    state: state === 'active' ? undefined : state,
    severity: oneOf(raw.severity, severities),
    tenant: optionalText(raw.tenant),
    site: optionalText(raw.site),
    endpoint: optionalText(raw.endpoint),
    behind: optionalText(raw.behind),
    hidden: raw.hidden === true ? true : undefined,
  }
}

/** As the API asks for it. */
export function filtersOf(search: AlertsSearch): AlertsParams {
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(search.state ? { state: search.state } : {}),
    ...(search.severity ? { severity: search.severity } : {}),
    ...(search.tenant ? { tenant: search.tenant } : {}),
    ...(search.site ? { site: search.site } : {}),
    ...(search.endpoint ? { endpoint: search.endpoint } : {}),
    ...(search.behind ? { behind: search.behind } : {}),
    ...(search.hidden ? { hidden: true } : {}),
  }
}

export type Chip = { name: string; without: Partial<AlertsSearch> }

/** Filters that can be taken away one by one. */
export function chipsOf(search: AlertsSearch): Chip[] {
  const chips: Chip[] = []
  if (search.tenant) chips.push({ name: `tenant ${search.tenant}`, without: { tenant: undefined, site: undefined } })
  if (search.site) chips.push({ name: `site ${search.site}`, without: { site: undefined } })
  if (search.endpoint) chips.push({ name: 'one endpoint', without: { endpoint: undefined } })
  if (search.behind) chips.push({ name: 'hidden behind one alert', without: { behind: undefined } })
  return chips
}
