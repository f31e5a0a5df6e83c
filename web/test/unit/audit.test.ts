import { describe, expect, test } from 'vitest'

import { auditExportPath, auditFilters, beginOf, parseAuditSearch } from '~/features/audit/search'

describe('the audit', () => {
  test('what stands in an address was typed by anybody', () =>
    expect(parseAuditSearch({ kind: 'odd', from: '2026-13-99', to: '<b>', offset: -1, person: 5, tenant: '' })).toEqual({ kind: undefined, from: undefined, to: undefined, offset: undefined, person: '5', tenant: undefined }))
  test('the last day counts whole', () => {
    const { since, until } = auditFilters({ from: '2026-11-27', to: '2026-11-27' })
    expect(new Date((since ?? 0) * 1000).getHours()).toBe(0)
    expect(until).toBe(beginOf('2026-11-28'))
  })
  test('a file has the rows of the list', () => expect(auditExportPath({ person: 'op_a', kind: 'job', offset: 50 }, 'json')).toBe('/api/v1/audit/export?form=json&person=op_a&kind=job'))
})
