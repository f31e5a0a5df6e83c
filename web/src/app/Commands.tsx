import { useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useDeferredValue, useState } from 'react'

import { fleetWindowQuery, inboxQuery, jobsQuery, scriptsQuery, viewsQuery } from '~/api/queries'
import { largestBatch } from '~/features/approvals/batch'
import { useEnrolling } from '~/features/enrol/enrolling'
import { searchOf } from '~/features/fleet/search'
import { setPreferences } from '~/lib/preferences'
import { shortId } from '~/lib/format'
import { wish } from '~/lib/wishes'
import { Palette, type PaletteItem } from '~/ui/Palette'

import { useFreezing } from './freezing'
import { pages } from './Shell'

/** The command palette: pages, actions, and what the operator process finds for the words. */
export function Commands({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const navigate = useNavigate()
  const freeze = useFreezing()
  const enrol = useEnrolling()
  const [query, setQuery] = useState('')
  const search = useDeferredValue(query.trim())
  const endpoints = useQuery({ ...fleetWindowQuery({ search, limit: 8, offset: 0 }), enabled: search.length > 1 })
  // Until the answer is there, the rows are those of fewer words: they stay only where their own text has the rest.
  const answered = endpoints.isPlaceholderData ? '' : search.toLowerCase()
  const jobs = useQuery(jobsQuery({ limit: 100 }))
  const inbox = useQuery(inboxQuery())
  const views = useQuery(viewsQuery())
  const scripts = useQuery(scriptsQuery())
  const { pathname } = useLocation()
  const together = largestBatch(inbox.data?.items ?? [])
  /** On the page that can do it; the list stays as it is where that is this page. */
  const goAndWish = (to: '/fleet' | '/approvals', name: string) => () => {
    wish(name)
    if (pathname !== to) void navigate({ to })
  }
  const go = (to: (typeof pages)[number]['to']) => () => void navigate({ to })

  const items: PaletteItem[] = [
    ...pages.map((page): PaletteItem => ({ id: page.to, group: 'Page', name: page.name, icon: page.icon, keys: page.keys, run: go(page.to) })),
    ...(views.data?.views ?? []).map(
      (view): PaletteItem => ({ id: `view ${view.name}`, group: 'View', name: view.name, icon: 'bookmark', run: () => void navigate({ to: '/fleet', search: searchOf(view) }) }),
    ),
    { id: 'run', group: 'Action', name: 'Run a script', icon: 'play', run: go('/run') },
    { id: 'order', group: 'Action', name: 'Write a standing order', icon: 'repeat', run: () => void navigate({ to: '/run', search: { standing: true } }) },
    { id: 'new-script', group: 'Action', name: 'Write a new script', icon: 'terminal', run: () => void navigate({ to: '/scripts', search: { edit: true } }) },
    { id: 'save-view', group: 'Action', name: 'Save this view of the fleet', icon: 'bookmark', keys: 'v', run: goAndWish('/fleet', 'save the view') },
    { id: 'columns', group: 'Action', name: 'Choose columns of the fleet', icon: 'columns', keys: 'c', run: goAndWish('/fleet', 'choose columns') },
    { id: 'export', group: 'Action', name: 'Export the fleet as CSV', icon: 'download', keys: 'e', run: goAndWish('/fleet', 'export the list') },
    ...(together.length > 1
      ? [{ id: 'batch', group: 'Action', name: `Approve ${together.length} together`, detail: 'each read, compared and signed by itself', icon: 'inbox', keys: 'b', run: goAndWish('/approvals', 'approve together') } satisfies PaletteItem]
      : []),
    { id: 'enrol', group: 'Action', name: 'Enrol endpoints', icon: 'plus', run: enrol },
    { id: 'freeze', group: 'Action', name: 'Freeze: stop everything, or a part', icon: 'snow', keys: '!', run: () => freeze() },
    { id: 'light', group: 'Action', name: 'Light theme', icon: 'sun', run: () => setPreferences({ theme: 'light' }) },
    { id: 'dark', group: 'Action', name: 'Dark theme', icon: 'moon', run: () => setPreferences({ theme: 'dark' }) },
    { id: 'keys', group: 'Action', name: 'Show the keys', icon: 'info', keys: '?', run: onHelp },
    ...(inbox.data?.items ?? []).map(
      (item): PaletteItem => ({
        id: `approve ${item.id}`,
        group: 'Approve',
        name: item.title,
        detail: item.disabled ? 'not by you' : shortId(item.id),
        icon: 'inbox',
        run: () => void navigate({ to: '/approvals', search: { id: item.id } }),
      }),
    ),
    ...(endpoints.data?.rows ?? []).map(
      (row): PaletteItem => ({
        id: row.id,
        group: 'Endpoint',
        name: row.hostname || row.id,
        // The words of the search stand here too: the server found the row by them, also in the id.
        detail: [row.tenant, row.site, row.os, row.hostname.toLowerCase().includes(answered) ? '' : answered].filter(Boolean).join(' · '),
        icon: 'fleet',
        run: () => void navigate({ to: '/endpoints/$id', params: { id: row.id }, search: {} }),
      }),
    ),
    ...(scripts.data?.scripts ?? []).map(
      (one): PaletteItem => ({ id: `script ${one.about.name}`, group: 'Script', name: one.about.title, detail: one.about.name, icon: 'terminal', run: () => void navigate({ to: '/scripts', search: { name: one.about.name } }) }),
    ),
    ...(jobs.data?.rows ?? []).map(
      (row): PaletteItem => ({
        id: row.id,
        group: 'Job',
        name: row.title,
        detail: `${row.state} · ${shortId(row.id)}`,
        icon: 'jobs',
        run: () => void navigate({ to: '/jobs/$id', params: { id: row.id }, search: {} }),
      }),
    ),
  ]
  return <Palette busy={endpoints.isFetching} items={items} onClose={onClose} onQuery={setQuery} open query={query} />
}
