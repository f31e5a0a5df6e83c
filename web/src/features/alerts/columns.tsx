import { Link } from '@tanstack/react-router'

import type { AlertItem } from '~/api/schema'
import { Badge } from '~/ui/Badge'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import type { Column } from '~/ui/VirtualTable'

import type { AlertSelection } from './selection'
import { AlertStateName, CheckName, Severity, Where } from './words'

/** Two lines a row: what is wrong, and where. */
export function alertColumns(selection: AlertSelection): Column<AlertItem>[] {
  return [
    {
      id: 'select',
      name: '',
      track: '1.25rem',
      cell: (row, index) => (
        <input
          aria-label={`Choose the alert ${row.check} of ${row.hostname ?? row.site ?? 'the server'}`}
          checked={selection.ids.has(row.id)}
          className="size-3.5 accent-accent"
          onChange={(event) => selection.toggle([row], index, event.nativeEvent instanceof MouseEvent && event.nativeEvent.shiftKey)}
          tabIndex={-1}
          type="checkbox"
        />
      ),
    },
    { id: 'severity', name: 'Severity', track: '4.5rem', cell: (row) => <Severity of={row.severity} /> },
    {
      id: 'what',
      name: 'What',
      track: 'minmax(10rem,3fr)',
      cell: (row) => (
        <span className="flex flex-col leading-tight">
          <Link className="truncate font-medium hover:text-accent" params={{ id: row.id }} tabIndex={-1} to="/alerts/$id">
            <CheckName alert={row} />
          </Link>
          <span className="truncate text-sm text-ink-2">
            <Untrusted max={200} text={row.text} />
          </span>
        </span>
      ),
    },
    { id: 'where', name: 'Where', track: 'minmax(8rem,2fr)', above: 560, cell: (row) => <Where alert={row} link /> },
    {
      id: 'state',
      name: 'State',
      track: 'minmax(8rem,1.2fr)',
      above: 760,
      cell: (row) => (
        <span className="flex items-center gap-2">
          <AlertStateName alert={row} />
          {row.flapping && <Badge title="It goes up and down; nothing is sent until it is calm">flapping</Badge>}
          {row.hidden > 0 && <Badge title="Consequences that are hidden behind it">+{row.hidden}</Badge>}
        </span>
      ),
    },
    { id: 'since', name: 'Since', track: '6rem', above: 900, cell: (row) => <span className="text-ink-2"><Time at={row.since} /></span> },
    { id: 'changed', name: 'Changed', track: '6rem', above: 360, cell: (row) => <span className="text-ink-2"><Time at={row.changed} /></span> },
  ]
}
