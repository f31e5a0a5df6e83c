import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'

import { alertsQuery } from '~/api/alerts'
import { problemOf } from '~/api/client'
import { treeQuery } from '~/api/queries'
import type { AlertItem } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Button } from '~/ui/Button'
import { Check, Select } from '~/ui/Field'
import { Icon } from '~/ui/Icon'
import { Empty, ErrorBox } from '~/ui/States'
import { VirtualTable } from '~/ui/VirtualTable'

import { rangeOf } from '../fleet/selection'
import { BulkBar } from './BulkBar'
import { alertColumns } from './columns'
import { Deed, type DeedKind } from './Deed'
import { type AlertsSearch, chipsOf, filtersOf, severities } from './search'
import { useAlertSelection } from './selection'

const route = getRouteApi('/shell/alerts')
const windowSize = 100
const pageOf = (index: number) => Math.floor(index / windowSize)

/** What needs somebody, or did. */
export function AlertsPage() {
  const search = route.useSearch()
  const navigate = useNavigate({ from: '/alerts' })
  const set = (change: Partial<AlertsSearch>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <Filters search={search} set={set} />
      <List search={search} set={set} />
    </div>
  )
}

type Part = { search: AlertsSearch; set: (change: Partial<AlertsSearch>) => void }

function Filters({ search, set }: Part) {
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(search.q ?? '')
  const deferred = useDeferredValue(typed)
  useEffect(() => {
    if (deferred !== (search.q ?? '')) set({ q: deferred || undefined })
    // What was typed leads; the address follows it.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [deferred])
  useEffect(() => {
    if (document.activeElement !== input.current) setTyped(search.q ?? '')
  }, [search.q])
  useKeys({ '/': () => input.current?.focus() })
  const states = [
    [undefined, 'Active'],
    ['open', 'Open'],
    ['acknowledged', 'Acknowledged'],
    ['resolved', 'Resolved'],
  ] as const
  return (
    <header className="border-b border-line bg-panel px-4 py-3 lg:px-6">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="mr-2 text-xl font-semibold tracking-[-0.01em]">Alerts</h1>
        <label className="relative flex min-w-40 flex-1 items-center sm:max-w-80">
          <span className="sr-only">Search alerts</span>
          <Icon className="absolute left-2.5 text-ink-3" name="search" size={14} />
          <input
            autoComplete="off"
            className="h-7.5 w-full rounded-md border border-line-strong bg-panel pr-2 pl-8 outline-none focus-visible:border-accent focus-visible:ring-2 focus-visible:ring-accent/30"
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && (typed ? setTyped('') : input.current?.blur())}
            placeholder="Endpoint, check or text"
            ref={input}
            spellCheck={false}
            type="search"
            value={typed}
          />
        </label>
        <div aria-label="State" className="flex max-w-full overflow-x-auto rounded-md border border-line-strong" role="group">
          {states.map(([state, name]) => (
            <button
              aria-pressed={search.state === state}
              className="h-7 border-l border-line px-2.5 text-ink-2 first:rounded-l-md first:border-l-0 last:rounded-r-md hover:bg-hover aria-pressed:bg-selected aria-pressed:font-medium aria-pressed:text-accent"
              key={name}
              onClick={() => set({ state })}
              type="button"
            >
              {name}
            </button>
          ))}
        </div>
        <Select aria-label="Severity" className="w-36!" onChange={(event) => set({ severity: severities.find((one) => one === event.target.value) })} value={search.severity ?? ''}>
          <option value="">Every severity</option>
          {severities.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </Select>
        <Places search={search} set={set} />
        <Check checked={search.hidden === true} label="Consequences, too" onChange={(event) => set({ hidden: event.target.checked || undefined })} />
        {chipsOf(search).filter((chip) => !chip.name.startsWith('tenant') && !chip.name.startsWith('site')).map((chip) => (
          <span className="inline-flex h-6 items-center gap-1 rounded-full bg-accent-soft pr-1 pl-2.5 text-accent" key={chip.name}>
            {chip.name}
            <button aria-label={`Without ${chip.name}`} className="rounded-full p-0.5 hover:bg-selected" onClick={() => set(chip.without)} type="button">
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <Link className="inline-flex h-7.5 items-center gap-1.5 rounded-md px-2.5 text-ink-2 hover:bg-hover hover:text-ink sm:ml-auto" to="/alerts/rules">
          <Icon name="clock" /> Windows and routes
        </Link>
      </div>
    </header>
  )
}

/** Tenant, then its site. */
function Places({ search, set }: Part) {
  const tree = useQuery(treeQuery())
  const tenants = (tree.data?.tenants ?? []).flatMap((branch) => (branch.tenant ? [{ ...branch, tenant: branch.tenant }] : []))
  const known = tenants.some((branch) => branch.tenant === search.tenant)
  const sites = tenants.find((branch) => branch.tenant === search.tenant)?.sites ?? []
  return (
    <>
      <Select aria-label="Tenant" className="w-36!" onChange={(event) => set({ tenant: event.target.value || undefined, site: undefined })} value={search.tenant ?? ''}>
        <option value="">Every tenant</option>
        {search.tenant && !known && <option value={search.tenant}>{search.tenant}</option>}
        {tenants.map((branch) => (
          <option key={branch.tenant} value={branch.tenant}>
            {branch.tenant}
          </option>
        ))}
      </Select>
      {search.tenant && (
        <Select aria-label="Site" className="w-32!" onChange={(event) => set({ site: event.target.value || undefined })} value={search.site ?? ''}>
          <option value="">Every site</option>
          {search.site && !sites.some((one) => one.site === search.site) && <option value={search.site}>{search.site}</option>}
          {sites.flatMap((one) => (one.site ? [<option key={one.site} value={one.site}>{one.site}</option>] : []))}
        </Select>
      )}
    </>
  )
}

function List({ search, set }: Part) {
  const navigate = useNavigate()
  const filters = useMemo(() => filtersOf(search), [search])
  const [range, setRange] = useState({ from: 0, to: 0 })
  const [deed, setDeed] = useState<{ kind: DeedKind; alerts: AlertItem[] }>()
  const pages = useMemo(() => Array.from({ length: pageOf(range.to) - pageOf(range.from) + 1 }, (_, at) => pageOf(range.from) + at), [range])
  const windows = useQueries({ queries: pages.map((page) => alertsQuery({ ...filters, offset: page * windowSize, limit: windowSize })) })
  const first = useQuery(alertsQuery({ ...filters, offset: 0, limit: windowSize }))
  const byPage = new Map(pages.map((page, at) => [page, windows[at]?.data]))
  const total = first.data?.total ?? 0
  const rowAt = (index: number): AlertItem | undefined => (pageOf(index) === 0 ? first.data : byPage.get(pageOf(index)))?.rows[index % windowSize]
  const selection = useAlertSelection(filters)
  const onWindow = useCallback((from: number, to: number) => setRange((before) => (pageOf(before.from) === pageOf(from) && pageOf(before.to) === pageOf(to) ? before : { from, to })), [])
  const columns = useMemo(() => alertColumns(selection), [selection])
  const act = (kind: DeedKind) => setDeed({ kind, alerts: [...selection.chosen.values()] })
  const some = selection.chosen.size > 0
  useKeys({ Escape: () => selection.clear(), ...(some ? { a: () => act('acknowledge'), e: () => act('resolve'), n: () => act('note') } : {}) })
  const error = first.error ?? windows.find((window) => window.error)?.error
  if (error) {
    return (
      <div className="p-4">
        <ErrorBox problem={problemOf(error)} retry={() => void first.refetch()} />
      </div>
    )
  }
  return (
    <>
      <VirtualTable
        columns={columns}
        empty={first.isPending ? null : <NothingHere onReset={() => set({ q: undefined, state: undefined, severity: undefined, tenant: undefined, site: undefined, endpoint: undefined, behind: undefined })} search={search} />}
        key={JSON.stringify(filters)}
        keyOf={(row) => row.id}
        label="Alerts"
        onOpen={(row) => void navigate({ to: '/alerts/$id', params: { id: row.id } })}
        onSelect={(index, withShift) => selection.toggle(rangeOf(index, withShift, selection.last).flatMap((at) => rowAt(at) ?? []), index, withShift)}
        onWindow={onWindow}
        rowAt={rowAt}
        rowHeight={48}
        selected={selection.ids}
        total={first.isPending ? 8 : total}
      />
      <div className="flex h-8 shrink-0 items-center gap-3 border-t border-line bg-panel px-4 text-sm text-ink-2 lg:px-6">
        <span aria-live="polite" className="tabular">
          {first.isPending ? 'Looking…' : plural(total, 'alert')}
        </span>
        <span className="hidden text-ink-3 sm:inline">By the server’s word; texts are what endpoints say.</span>
      </div>
      {some && <BulkBar onAct={act} selection={selection} total={total} />}
      {deed && (
        <Deed
          alerts={deed.alerts}
          kind={deed.kind}
          onClose={() => setDeed(undefined)}
          onDone={() => {
            setDeed(undefined)
            selection.clear()
          }}
        />
      )}
    </>
  )
}

function NothingHere({ search, onReset }: { search: AlertsSearch; onReset: () => void }) {
  const filtered = Boolean(search.q || search.state || search.severity || chipsOf(search).length > 0)
  if (filtered) {
    return (
      <Empty action={<Button onClick={onReset}>Show everything that is active</Button>} icon="search" title="No alert fits">
        The server searched checks, texts and host names.
      </Empty>
    )
  }
  return (
    <Empty
      action={
        <Link className="inline-flex h-7.5 items-center rounded-md border border-line-strong bg-raised px-2.5 hover:bg-hover" to="/policies">
          Look at what is checked
        </Link>
      }
      icon="check"
      title="Nothing needs anybody"
    >
      A server that is away for five minutes is an alert without any configuration; full disks, stopped services and old backups are ones when a signed policy looks at them.
    </Empty>
  )
}
