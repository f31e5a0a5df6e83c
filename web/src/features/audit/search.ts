import type { AuditParams } from '~/api/queries'
import { oneOf, optionalText } from '~/lib/search-params'

export const auditKinds = ['job', 'policy', 'promotion', 'bundle', 'freeze', 'thaw', 'veto', 'withdrawal', 'local'] as const

/** Which rows; it is the address of the page, so that a question can be kept and sent. Days are those of this computer's clock. */
export type AuditSearch = {
  person?: string | undefined
  kind?: (typeof auditKinds)[number] | undefined
  tenant?: string | undefined
  from?: string | undefined
  to?: string | undefined
  offset?: number | undefined
}

const day = /^\d{4}-\d{2}-\d{2}$/
const dayOf = (value: unknown) => (typeof value === 'string' && day.test(value) && Number.isFinite(new Date(`${value}T00:00`).getTime()) ? value : undefined)

export function parseAuditSearch(raw: Record<string, unknown>): AuditSearch {
  return {
    person: optionalText(raw.person, 64),
    kind: oneOf(raw.kind, auditKinds),
    tenant: optionalText(raw.tenant, 64),
    from: dayOf(raw.from),
    to: dayOf(raw.to),
    offset: typeof raw.offset === 'number' && Number.isSafeInteger(raw.offset) && raw.offset > 0 ? raw.offset : undefined,
  }
}

/** The beginning of a day, `after` days later. */
export function beginOf(date: string, after = 0): number {
  const at = new Date(`${date}T00:00`)
  at.setDate(at.getDate() + after)
  return Math.floor(at.getTime() / 1000)
}

/** As the API asks for it: the last day counts whole. */
export function auditFilters(search: AuditSearch): AuditParams {
  return {
    ...(search.person ? { person: search.person } : {}),
    ...(search.kind ? { kind: search.kind } : {}),
    ...(search.tenant ? { tenant: search.tenant } : {}),
    ...(search.from ? { since: beginOf(search.from) } : {}),
    ...(search.to ? { until: beginOf(search.to, 1) } : {}),
  }
}

/** Where the operator process gives the rows as a file. */
export function auditExportPath(search: AuditSearch, form: 'csv' | 'json'): string {
  const query = new URLSearchParams({ form })
  for (const [name, value] of Object.entries(auditFilters(search))) query.set(name, String(value))
  return `/api/v1/audit/export?${query}`
}
