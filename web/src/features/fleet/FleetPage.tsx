import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'

import { problemOf } from '~/api/client'
import { fleetWindowQuery, treeQuery, viewsQuery } from '~/api/queries'
import type { EndpointRow, FleetColumn } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { count, plural } from '~/lib/format'
import { setPreferences, usePreferences } from '~/lib/preferences'
import { useWishes } from '~/lib/wishes'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Icon } from '~/ui/Icon'
import { Kbd } from '~/ui/Kbd'
import { Empty, ErrorBox } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'
import { VirtualTable } from '~/ui/VirtualTable'

import { useEnrolling } from '../enrol/enrolling'
import { BulkBar } from './BulkBar'
import { ColumnChooser } from './ColumnChooser'
import { fleetColumns } from './columns'
import { useExport } from './exporting'
import { SaveView } from './SaveView'
import { type FleetSearch, allColumns, chipsOf, columnsOf, filtersOf, isShownAs, sortOf } from './search'
import { rangeOf, useSelection } from './selection'
import { FleetTree } from './FleetTree'

const route = getRouteApi('/shell/fleet')
const windowSize = 100
const pageOf = (index: number) => Math.floor(index / windowSize)

/** Every endpoint, a window of the list at a time. */
export function FleetPage() {
  const search = route.useSearch()
  const navigate = useNavigate({ from: '/fleet' })
  const tree = useQuery(treeQuery())
  const [treeOpen, setTreeOpen] = useState(false)
  const set = (change: Partial<FleetSearch>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const preferences = usePreferences()
  const columns = useMemo(() => search.cols ?? columnsOf(preferences.columns) ?? allColumns, [search.cols, preferences.columns])
  return (
    <div className="flex min-h-0 flex-1">
      <aside className="hidden w-60 shrink-0 overflow-y-auto border-r border-line bg-panel p-2 xl:block">
        {!tree.error && <FleetTree onChoose={set} search={search} tree={tree.data} />}
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <Filters columns={columns} key={search.view ?? ''} onTree={() => setTreeOpen(true)} search={search} set={set} total={tree.data?.counts.total} />
        {tree.error ? (
          <div className="p-4">
            <ErrorBox problem={problemOf(tree.error)} retry={() => void tree.refetch()} />
          </div>
        ) : (
          <List columns={columns} search={search} set={set} />
        )}
      </div>
      {treeOpen && (
        <Dialog onClose={() => setTreeOpen(false)} open size="sm" title="Tenants and sites">
          <FleetTree
            onChoose={(change) => {
              set(change)
              setTreeOpen(false)
            }}
            search={search}
            tree={tree.data}
          />
        </Dialog>
      )}
    </div>
  )
}

function Filters(props: { search: FleetSearch; columns: readonly FleetColumn[]; set: (change: Partial<FleetSearch>) => void; onTree: () => void; total: number | undefined }) {
  const { search, set } = props
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(search.q ?? '')
  const enrol = useEnrolling()
  const deferred = useDeferredValue(typed)
  useEffect(() => {
    if (deferred !== (search.q ?? '')) set({ q: deferred || undefined })
    // What was typed leads; the address follows it.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [deferred])
  useEffect(() => {
    // Another view, or a filter that was taken away: whoever types has the focus here.
    if (document.activeElement !== input.current) setTyped(search.q ?? '')
  }, [search.q])
  useKeys({ '/': () => input.current?.focus() })
  const states = [
    [undefined, 'All'],
    ['connected', 'Connected'],
    ['away', 'Away'],
    ['quarantined', 'Quarantine'],
  ] as const
  return (
    <header className="border-b border-line bg-panel px-4 py-3 lg:px-6">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="mr-2 text-xl font-semibold tracking-[-0.01em]">Fleet</h1>
        <label className="relative flex min-w-40 flex-1 items-center sm:max-w-96">
          <span className="sr-only">Search endpoints</span>
          <Icon className="absolute left-2.5 text-ink-3" name="search" size={14} />
          <input
            autoComplete="off"
            className="h-7.5 w-full rounded-md border border-line-strong bg-panel pr-2 pl-8 outline-none focus-visible:border-accent focus-visible:ring-2 focus-visible:ring-accent/30"
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && (typed ? setTyped('') : input.current?.blur())}
            placeholder={props.total === undefined ? 'Name or id' : `Name or id, of ${count(props.total)}`}
            ref={input}
            spellCheck={false}
            type="search"
            value={typed}
          />
        </label>
        <div aria-label="State" className="flex rounded-md border border-line-strong" role="group">
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
        <Button className="xl:hidden" icon="building" onClick={props.onTree}>
          Tenants
        </Button>
        <span className="order-last flex flex-wrap items-center gap-2 sm:ml-auto">
          <Views columns={props.columns} search={search} set={set} />
          <Button icon="plus" onClick={enrol}>
            Enrol
          </Button>
        </span>
        {chipsOf(search).map((chip) => (
          <span className="inline-flex h-6 items-center gap-1 rounded-full bg-accent-soft pr-1 pl-2.5 text-accent" key={chip.name}>
            {chip.name}
            <button aria-label={`Without ${chip.name}`} className="rounded-full p-0.5 hover:bg-selected" onClick={() => set(chip.without)} type="button">
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
      </div>
    </header>
  )
}

/** What makes the list a person's own: columns, views under names, and all of it as a file. */
function Views({ search, columns, set }: { search: FleetSearch; columns: readonly FleetColumn[]; set: (change: Partial<FleetSearch>) => void }) {
  const [open, setOpen] = useState<'columns' | 'save' | undefined>()
  const views = useQuery(viewsQuery())
  const file = useExport(search, columns)
  const shown = views.data?.views.find((view) => view.name === search.view)
  const acts = { columns: () => setOpen('columns'), save: () => setOpen('save'), file: () => !file.isPending && file.mutate() }
  useKeys({ c: acts.columns, v: acts.save, e: acts.file })
  useWishes({ 'choose columns': acts.columns, 'save the view': acts.save, 'export the list': acts.file })
  const choose = (chosen: FleetColumn[] | undefined) => {
    // A view has its own; the others are this browser's.
    if (!shown) setPreferences({ columns: chosen ?? null })
    set({ cols: shown || search.cols ? (chosen ?? [...allColumns]) : undefined })
  }
  return (
    <>
      {shown && (
        <span className="max-w-48 truncate text-ink-2">
          <Untrusted text={shown.name} />
          {!isShownAs(shown, search, columns) && <span className="text-ink-3"> (changed)</span>}
        </span>
      )}
      <span aria-live="polite" className={file.error ? 'text-bad' : 'text-ink-3'}>
        {file.error ? problemOf(file.error).message : file.data !== undefined && `Saved ${plural(file.data, 'row')}`}
      </span>
      <Button hint={<>Keep this list under a name <Kbd keys="v" /></>} icon="bookmark" label="Save view" look="quiet" onClick={() => setOpen('save')} />
      <Button hint={<>Choose columns <Kbd keys="c" /></>} icon="columns" label="Columns" look="quiet" onClick={() => setOpen('columns')} />
      <Button busy={file.isPending} hint={<>All rows as CSV <Kbd keys="e" /></>} icon="download" label="Export" look="quiet" onClick={() => file.mutate()} />
      {open === 'columns' && <ColumnChooser columns={columns} onChange={choose} onClose={() => setOpen(undefined)} />}
      {open === 'save' && <SaveView columns={columns} onClose={() => setOpen(undefined)} onView={(view) => set({ view, cols: view === undefined ? undefined : [...columns] })} search={search} />}
    </>
  )
}

function List({ search, columns: wanted, set }: { search: FleetSearch; columns: readonly FleetColumn[]; set: (change: Partial<FleetSearch>) => void }) {
  const navigate = useNavigate()
  const filters = useMemo(() => filtersOf(search), [search])
  const [range, setRange] = useState({ from: 0, to: 0 })
  const pages = useMemo(() => {
    const first = pageOf(range.from)
    const last = pageOf(range.to)
    return Array.from({ length: last - first + 1 }, (_, at) => first + at)
  }, [range])
  const windows = useQueries({
    queries: pages.map((page) => fleetWindowQuery({ ...filters, offset: page * windowSize, limit: windowSize })),
  })
  const first = useQuery(fleetWindowQuery({ ...filters, offset: 0, limit: windowSize }))
  const byPage = new Map(pages.map((page, at) => [page, windows[at]?.data]))
  const total = first.data?.total ?? 0
  const rowAt = (index: number): EndpointRow | undefined => {
    const page = pageOf(index)
    return (page === 0 ? first.data : byPage.get(page))?.rows[index % windowSize]
  }
  const selection = useSelection(filters)
  // Rows that scroll within the same windows ask for nothing, and this page is not drawn for them.
  const onWindow = useCallback((from: number, to: number) => setRange((before) => (pageOf(before.from) === pageOf(from) && pageOf(before.to) === pageOf(to) ? before : { from, to })), [])
  const columns = useMemo(() => fleetColumns(selection, wanted), [selection, wanted])
  const error = first.error ?? windows.find((window) => window.error)?.error
  const run = () => selection.handOver((on) => void navigate({ to: '/run', search: { on } }))
  useKeys({ r: () => selection.size > 0 && run(), Escape: () => selection.clear() })
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
        empty={first.isPending ? null : <NothingHere filtered={chipsOf(search).length > 0 || Boolean(search.q) || Boolean(search.state)} onReset={() => set({ q: undefined, tenant: undefined, site: undefined, state: undefined })} />}
        key={JSON.stringify(filters)}
        keyOf={(row) => row.id}
        label="Endpoints"
        onOpen={(row) => void navigate({ to: '/endpoints/$id', params: { id: row.id }, search: {} })}
        onSelect={(index, withShift) => {
          const chosen = rangeOf(index, withShift, selection.last).flatMap((at) => rowAt(at) ?? [])
          selection.toggle(chosen, index, withShift)
        }}
        onSort={(by) => set(sortOf(search, by))}
        onWindow={onWindow}
        rowAt={rowAt}
        selected={selection.ids}
        sorted={{ by: search.sort ?? 'hostname', descending: search.desc === true }}
        total={first.isPending ? 12 : total}
      />
      <div className="flex h-8 shrink-0 items-center gap-3 border-t border-line bg-panel px-4 text-sm text-ink-2 lg:px-6">
        <span aria-live="polite" className="tabular">
          {first.isPending ? 'Looking…' : plural(total, 'endpoint')}
        </span>
        <span className="hidden text-ink-3 sm:inline">By the server’s word. What you sign for is verified when you sign.</span>
      </div>
      {selection.size > 0 && <BulkBar onRun={run} selection={selection} total={total} />}
    </>
  )
}

function NothingHere({ filtered, onReset }: { filtered: boolean; onReset: () => void }) {
  const enrol = useEnrolling()
  return filtered ? (
    <Empty action={<Button onClick={onReset}>Show all endpoints</Button>} icon="search" title="No endpoint fits">
      The server searched names and ids of the whole fleet.
    </Empty>
  ) : (
    <Empty action={<Button icon="plus" look="primary" onClick={enrol}>Enrol the first endpoint</Button>} icon="fleet" title="No endpoints yet">
      An enrolment names a tenant and a site, and is good for some uses and some days. You sign it; the command it gives goes to the endpoint.
    </Empty>
  )
}
