import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { endpointReceiptsQuery, jobReceiptsQuery } from '~/api/queries'
import type { ReceiptsWindow } from '~/api/schema'
import { bytes, plural, shortId } from '~/lib/format'
import { Card } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Prose } from '~/ui/Prose'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointName } from '../endpoint/EndpointName'
import { State, Verified } from './badges'

const limit = 50

export function JobReceipts({ id }: { id: string }) {
  const [offset, setOffset] = useState(0)
  return <Receipts answered={useQuery(jobReceiptsQuery(id, { offset, limit }))} by="endpoint" offset={offset} onOffset={setOffset} />
}

export function EndpointReceipts({ id }: { id: string }) {
  const [offset, setOffset] = useState(0)
  return <Receipts answered={useQuery(endpointReceiptsQuery(id, { offset, limit }))} by="job" offset={offset} onOffset={setOffset} />
}

type Props = { answered: UseQueryResult<ReceiptsWindow>; by: 'endpoint' | 'job'; offset: number; onOffset: (offset: number) => void }

/** Signed accounts of endpoints; each signature was checked by the operator process. */
function Receipts({ answered, by, offset, onOffset }: Props) {
  if (answered.error) return <ErrorBox problem={problemOf(answered.error)} retry={() => void answered.refetch()} />
  const window = answered.data
  if (!window) return <Loading />
  if (window.total === 0) {
    return (
      <Empty icon="book" title="No receipts yet">
        A receipt is an endpoint’s signed account of what it did or refused. It comes when the endpoint has judged the job.
      </Empty>
    )
  }
  return (
    <>
      {window.bad > 0 && (
        <Notice icon="alert" tone="bad">
          {plural(window.bad, 'receipt')} of {window.total} do not verify: the server made them up or changed them. Trust the others only, and tell the other operators.
        </Notice>
      )}
      <Card flush title={plural(window.total, 'receipt')}>
        <Table
          heads={[{ name: by === 'endpoint' ? 'Endpoint' : 'Job' }, { name: 'Said' }, { name: 'Code' }, { name: 'Exit' }, { name: 'Output' }, { name: 'Took' }, { name: 'Ended' }, { name: 'Signature' }]}
          label="Receipts"
        >
          {window.rows.map((row) => (
            <tr key={row.id}>
              <td>
                {by === 'endpoint' ? (
                  <EndpointName hostname={row.hostname} id={row.endpoint} />
                ) : (
                  <Link className="hover:text-accent" params={{ id: row.job }} search={{}} title={row.job} to="/jobs/$id">
                    <code>{shortId(row.job)}</code>
                  </Link>
                )}
              </td>
              <td>
                <State name={row.decision} />
              </td>
              <td className="min-w-40">
                <code>
                  <Untrusted text={row.code} />
                </code>
                {row.next && (
                  <p className="text-sm text-ink-2">
                    <Prose text={row.next} />
                  </p>
                )}
              </td>
              <td className="tabular">{row.exit}</td>
              <td className="tabular whitespace-nowrap text-ink-2">{bytes(row.output_bytes)}</td>
              <td className="tabular whitespace-nowrap text-ink-2">{Math.max(0, row.t1 - row.t0)} s</td>
              <td className="text-ink-2">
                <Time at={row.t1} />
              </td>
              <td>
                <Verified by={row.verification} />
              </td>
            </tr>
          ))}
        </Table>
        <Pager limit={limit} offset={offset} onOffset={onOffset} total={window.total} />
      </Card>
    </>
  )
}
