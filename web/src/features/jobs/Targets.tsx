import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { jobTargetsQuery } from '~/api/queries'
import type { JobView } from '~/api/schema'
import { count } from '~/lib/format'
import { Card } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

import { EndpointName } from '../endpoint/EndpointName'
import { State, stateWord } from './badges'

const limit = 100

/** Each endpoint of a job, and why it stands where it stands. */
export function Targets({ job, state }: { job: JobView; state: string | undefined }) {
  const [offset, setOffset] = useState(0)
  const targets = useQuery(jobTargetsQuery(job.row.id, { offset, limit, ...(state ? { state } : {}) }))
  return (
    <Card
      actions={
        <nav aria-label="State of endpoints" className="flex flex-wrap gap-1">
          {[{ state: undefined, count: job.row.targets }, ...job.counts].map((one) => (
            <Link
              className={cx('rounded-full px-2 py-0.5 text-sm', state === one.state ? 'bg-selected font-medium text-accent' : 'text-ink-2 hover:bg-hover')}
              key={one.state ?? 'all'}
              onClick={() => setOffset(0)}
              params={{ id: job.row.id }}
              search={{ tab: 'endpoints', ...(one.state ? { state: one.state } : {}) }}
              to="/jobs/$id"
            >
              {one.state ? stateWord(one.state) : 'all'} <span className="tabular">{count(one.count)}</span>
            </Link>
          ))}
        </nav>
      }
      flush
      title="Endpoints"
    >
      {targets.error && <ErrorBox problem={problemOf(targets.error)} />}
      {!targets.data && !targets.error && <div className="p-4"><Loading /></div>}
      {targets.data && (
        <>
          <Table heads={[{ name: 'Endpoint' }, { name: 'Stage' }, { name: 'State' }, { name: 'Code' }, { name: 'Exit' }, { name: 'What to do' }]} label="Endpoints of the job">
            {targets.data.rows.map((row) => (
              <tr key={row.endpoint}>
                <td>
                  <EndpointName hostname={row.hostname} id={row.endpoint} />
                </td>
                <td className="tabular text-ink-2">{row.stage + 1}</td>
                <td>
                  <State name={row.state} />
                </td>
                <td>{row.code && <code><Untrusted text={row.code} /></code>}</td>
                <td className="tabular">{row.exit}</td>
                <td className="min-w-48 text-ink-2">{row.next && <Prose text={row.next} />}</td>
              </tr>
            ))}
          </Table>
          <Pager limit={limit} offset={offset} onOffset={setOffset} total={targets.data.total} />
        </>
      )}
    </Card>
  )
}
