import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'

import { fetchFile, problemOf } from '~/api/client'
import { auditQuery } from '~/api/queries'
import type { AuditRow, AuditWindow } from '~/api/schema'
import { count, plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { saveBlob } from '~/lib/save'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Field, Input, Select } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { ClassBadge } from '../jobs/badges'
import { type AuditSearch, auditExportPath, auditFilters, auditKinds } from './search'

const route = getRouteApi('/shell/audit')
const limit = 50

/** Who did what, when: by both logs, verified on this computer, and by this console's own notes. */
export function AuditPage() {
  const search = route.useSearch()
  const navigate = useNavigate({ from: '/audit' })
  const set = (change: Partial<AuditSearch>) => void navigate({ search: (before) => ({ ...before, offset: undefined, ...change }), replace: true })
  const audit = useQuery(auditQuery({ ...auditFilters(search), offset: search.offset ?? 0, limit }))
  const file = useMutation({
    mutationFn: async (form: 'csv' | 'json') => saveBlob(`audit.${form}`, await fetchFile(auditExportPath(search, form))),
  })
  const save = (form: 'csv' | 'json') => !file.isPending && file.mutate(form)
  useKeys({ e: () => save('csv') })
  const shown = audit.data
  return (
    <>
      <PageHead
        actions={
          <>
            <Button busy={file.isPending && file.variables === 'csv'} hint={<>All rows that fit <Kbd keys="e" /></>} icon="download" onClick={() => save('csv')}>
              CSV
            </Button>
            <Button busy={file.isPending && file.variables === 'json'} hint="All rows that fit" icon="download" onClick={() => save('json')}>
              JSON
            </Button>
          </>
        }
        title="Audit"
        under={shown ? `${count(shown.entries)} log entries, verified here, and this console’s notes` : 'Going through both logs'}
      />
      <PageBody>
        {(audit.error ?? file.error) && <ErrorBox problem={problemOf(audit.error ?? file.error)} retry={() => void audit.refetch()} />}
        <Filters search={search} set={set} shown={shown} />
        {audit.isPending && <Loading />}
        {shown && shown.rows.length === 0 && (
          <Empty action={<Button onClick={() => void navigate({ search: {} })}>Show everything</Button>} icon="search" title="Nobody did such a thing">
            What people sign stands in the logs: jobs, approvals, promotions, freezes, bundles. What was done at this console without a signature, like letting an endpoint in, is noted here.
          </Empty>
        )}
        {shown && shown.rows.length > 0 && (
          <Card flush title={plural(shown.total, 'row')}>
            <Table heads={[{ name: 'When' }, { name: 'Who' }, { name: 'Did' }, { name: 'About' }, { name: 'Proof' }]} label="What was done">
              {shown.rows.map((row, at) => (
                <Row key={`${row.log ?? 'here'} ${row.index ?? row.at} ${at}`} row={row} />
              ))}
            </Table>
            <div className="border-t border-line px-4 py-2">
              <Pager limit={limit} offset={shown.offset} onOffset={(offset) => set({ offset: offset > 0 ? offset : undefined })} total={shown.total} />
            </div>
          </Card>
        )}
        <p className="max-w-[90ch] text-sm text-ink-3">
          Times are those that authors wrote into what they signed. A later signature has none: it came after the time that is shown, unless it was made here. Enrolments stand in no log; those that were signed here are noted here.
        </p>
      </PageBody>
    </>
  )
}

function Filters({ search, set, shown }: { search: AuditSearch; set: (change: Partial<AuditSearch>) => void; shown: AuditWindow | undefined }) {
  return (
    <section aria-label="Filters" className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
      <Field label="Person">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ person: event.target.value || undefined })} value={search.person ?? ''}>
            <option value="">Everybody</option>
            <option value="me">At this console</option>
            {(shown?.people ?? []).map((person) => (
              <option key={person.id} value={person.id}>
                {person.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Kind">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ kind: auditKinds.find((kind) => kind === event.target.value) })} value={search.kind ?? ''}>
            <option value="">Everything</option>
            {auditKinds.map((kind) => (
              <option key={kind} value={kind}>
                {kind === 'local' ? 'noted here' : kind}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Tenant">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ tenant: event.target.value || undefined })} value={search.tenant ?? ''}>
            <option value="">All</option>
            {(shown?.tenants ?? []).map((tenant) => (
              <option key={tenant} value={tenant}>
                {tenant}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="From">{(ids) => <Input {...ids} max={search.to} onChange={(event) => set({ from: event.target.value || undefined })} type="date" value={search.from ?? ''} />}</Field>
      <Field label="To, with that day">{(ids) => <Input {...ids} min={search.from} onChange={(event) => set({ to: event.target.value || undefined })} type="date" value={search.to ?? ''} />}</Field>
    </section>
  )
}

function Row({ row }: { row: AuditRow }) {
  return (
    <tr>
      <td>
        {row.after && <span className="text-ink-3">after </span>}
        <Time absolute at={row.at} />
      </td>
      <td>
        <ul className="flex flex-col gap-0.5">
          {row.who.map((who, at) => (
            <li className="flex flex-wrap items-center gap-1.5" key={`${who.fingerprint} ${who.role} ${at}`}>
              <Untrusted text={who.name ?? (who.fingerprint || 'this console')} />
              <span className="text-ink-3">{who.role}</span>
              {row.kind !== 'local' && !who.verification.verified && (
                <Badge title={who.verification.problem ?? undefined} tone="bad">
                  does not count
                </Badge>
              )}
            </li>
          ))}
          {row.here && (
            <li>
              <Badge title="By this console's own notes">here</Badge>
            </li>
          )}
        </ul>
      </td>
      <td className="whitespace-nowrap">
        {row.did} {row.class && <ClassBadge name={row.class} />}
      </td>
      <td className="min-w-48">
        <Untrusted className="whitespace-normal!" max={160} text={row.title} />
        {row.tenant && (
          <span className="block text-ink-3">
            <Untrusted text={row.tenant} />
          </span>
        )}
      </td>
      <td className="whitespace-nowrap">
        {row.log && row.index != null ? (
          <Link className="text-accent underline" search={{ log: row.log === 'jobs' ? 'jobs' : 'control', index: row.index }} to="/log">
            {row.log} {row.index}
          </Link>
        ) : (
          <span className="text-ink-3" title="A note of this console: it proves nothing to others">
            none
          </span>
        )}
      </td>
    </tr>
  )
}
