import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { alertsQuery } from '~/api/alerts'
import { problemOf } from '~/api/client'
import { plural } from '~/lib/format'
import { Card } from '~/ui/Layout'
import { ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { AlertStateName, CheckName, Severity } from './words'

const limit = 8

/** What needs somebody on this endpoint. */
export function EndpointAlerts({ id }: { id: string }) {
  const alerts = useQuery(alertsQuery({ endpoint: id, hidden: true, limit, offset: 0 }))
  if (alerts.error) return <ErrorBox problem={problemOf(alerts.error)} retry={() => void alerts.refetch()} />
  return (
    <Card
      actions={
        <Link className="text-accent underline" search={{ endpoint: id, state: 'resolved', hidden: true }} to="/alerts">
          Earlier ones
        </Link>
      }
      flush
      title="Alerts"
    >
      {!alerts.data && (
        <div className="px-4 py-3">
          <Loading lines={2} />
        </div>
      )}
      {alerts.data?.total === 0 && <p className="px-4 py-3 text-ink-2">Nothing needs anybody here.</p>}
      {alerts.data && alerts.data.total > 0 && (
        <Table heads={[{ name: 'Severity' }, { name: 'What' }, { name: 'State' }, { name: 'Since' }]} label="Alerts of this endpoint">
          {alerts.data.rows.map((row) => (
            <tr key={row.id}>
              <td>
                <Severity of={row.severity} />
              </td>
              <td className="break-words">
                <Link className="font-medium hover:text-accent" params={{ id: row.id }} to="/alerts/$id">
                  <CheckName alert={row} />
                </Link>{' '}
                <Untrusted className="whitespace-normal! text-ink-2" max={200} text={row.text} />
              </td>
              <td>
                <AlertStateName alert={row} />
              </td>
              <td className="text-ink-2">
                <Time at={row.since} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {alerts.data && alerts.data.total > limit && (
        <p className="px-4 py-2">
          <Link className="text-accent underline" search={{ endpoint: id, hidden: true }} to="/alerts">
            All {plural(alerts.data.total, 'alert')}
          </Link>
        </p>
      )}
    </Card>
  )
}
