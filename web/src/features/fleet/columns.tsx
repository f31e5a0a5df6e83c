import { Link } from '@tanstack/react-router'

import type { EndpointRow, FleetColumn } from '~/api/schema'
import { shortId } from '~/lib/format'
import { visibleText } from '~/lib/visible'
import { Dot, type Tone } from '~/ui/Badge'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import type { Column } from '~/ui/VirtualTable'

import { allColumns } from './search'
import type { Selection } from './selection'

const states: Record<EndpointRow['state'], { tone: Tone; word: string }> = {
  connected: { tone: 'ok', word: 'connected' },
  away: { tone: 'plain', word: 'away' },
  quarantined: { tone: 'warn', word: 'quarantine' },
}

export function EndpointState({ state }: { state: EndpointRow['state'] }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Dot tone={states[state].tone} />
      {states[state].word}
    </span>
  )
}

/** The names of columns, as people read them. */
export const columnNames: Record<FleetColumn, string> = { name: 'Name', state: 'State', tenant: 'Tenant', site: 'Site', system: 'System', last_heard: 'Last heard', id: 'Id' }

/** What each needs to be read, in pixels. */
const widths: Record<FleetColumn, number> = { name: 160, state: 96, tenant: 96, site: 80, system: 112, last_heard: 96, id: 120 }
const gap = 12
/** The box that chooses a row, and the room at both sides. */
const around = 60

/** The box that chooses a row, then the columns that somebody wants, in their order: on a narrow screen the later ones make room. */
export function fleetColumns(selection: Selection, wanted: readonly FleetColumn[]): Column<EndpointRow>[] {
  const known = everyColumn(selection)
  const usual = wanted.length === allColumns.length && wanted.every((id, at) => id === allColumns[at])
  let taken = around
  const chosen = wanted.flatMap((id) => {
    const column = known.find((one) => one.id === id)
    if (!column || usual) return column ?? []
    taken += widths[id] + gap
    return { ...column, above: id === wanted[0] ? 0 : taken }
  })
  return [...known.slice(0, 1), ...chosen]
}

function everyColumn(selection: Selection): Column<EndpointRow>[] {
  return [
    {
      id: 'select',
      name: '',
      track: '1rem',
      cell: (row, index) => (
        <input
          aria-label={`Choose ${visibleText(row.hostname) || row.id}`}
          checked={selection.ids.has(row.id)}
          className="block size-3.5 accent-accent"
          onChange={() => selection.toggle([row], index, false)}
          tabIndex={-1}
          type="checkbox"
        />
      ),
    },
    {
      id: 'name',
      name: 'Name',
      track: 'minmax(10rem,2.2fr)',
      sort: 'hostname',
      cell: (row) => (
        <Link
          className="flex min-w-0 items-center gap-2 font-medium hover:text-accent"
          params={{ id: row.id }}
          search={{}}
          tabIndex={-1}
          to="/endpoints/$id"
        >
          <Dot tone={states[row.state].tone} />
          <span className="min-w-0 truncate">{row.hostname ? <Untrusted max={120} text={row.hostname} /> : <span className="text-ink-3">no name</span>}</span>
        </Link>
      ),
    },
    { id: 'state', name: 'State', track: '6rem', above: 460, cell: (row) => <span className="text-ink-2">{states[row.state].word}</span> },
    {
      id: 'tenant',
      name: 'Tenant',
      track: 'minmax(6rem,1fr)',
      above: 640,
      sort: 'tenant',
      cell: (row) => (row.tenant ? <Untrusted text={row.tenant} /> : <span className="text-ink-3">none</span>),
    },
    { id: 'site', name: 'Site', track: 'minmax(5rem,1fr)', above: 760, cell: (row) => row.site && <Untrusted text={row.site} /> },
    {
      id: 'system',
      name: 'System',
      track: 'minmax(7rem,1.2fr)',
      above: 900,
      sort: 'os',
      cell: (row) => (
        <span className="text-ink-2">
          <Untrusted max={120} text={row.os} />
        </span>
      ),
    },
    {
      id: 'last_heard',
      name: 'Last heard',
      track: '6rem',
      above: 380,
      sort: 'last_seen',
      cell: (row) => <span className="text-ink-2">{row.last_seen == null ? 'never' : <Time at={row.last_seen} />}</span>,
    },
    { id: 'id', name: 'Id', track: '7.5rem', above: 1060, cell: (row) => <code className="text-ink-3" title={row.id}>{shortId(row.id)}</code> },
  ]
}
