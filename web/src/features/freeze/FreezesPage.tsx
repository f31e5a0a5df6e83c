import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { freezeQuery, freezesQuery } from '~/api/queries'
import type { FreezeRow, FreezeView } from '~/api/schema'
import { count } from '~/lib/format'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Meter } from '~/ui/Meter'
import { Pager } from '~/ui/Pager'
import { Command } from '~/ui/Copy'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

import { EndpointName } from '../endpoint/EndpointName'
import { useSigning } from '../sign/signing'
import { scopeWords } from './FreezeBanner'

const route = getRouteApi('/shell/freezes')

/** What stands still, who has confirmed it, and how to go on. */
export function FreezesPage() {
  const { id } = route.useSearch()
  const list = useQuery(freezesQuery())
  const rows = list.data?.freezes ?? []
  const shown = rows.find((row) => row.id === id) ?? rows.at(-1)
  return (
    <>
      <PageHead
        title="Freezes"
        under={list.data && (rows.length === 0 ? 'Nothing stands still' : `${rows.length} standing`)}
      />
      <PageBody>
        {list.error && <ErrorBox problem={problemOf(list.error)} retry={() => void list.refetch()} />}
        {list.isPending && <Loading />}
        {id && list.data && !rows.some((row) => row.id === id) && (
          <Notice icon="clock" tone="warn">
            This freeze does not stand by the control log. One longer than four hours waits in Approvals until enough others sign; one that was thawed or has ended is gone.
          </Notice>
        )}
        {list.data && rows.length === 0 && (
          <Empty icon="snow" title="Nothing stands still">
            A freeze reaches every connected endpoint in seconds, and takes one person. Try it once a month: freeze, watch the confirmations count up, thaw with a second person.
          </Empty>
        )}
        {rows.length > 1 && (
          <nav aria-label="Freezes" className="flex flex-wrap gap-2">
            {rows.map((row) => (
              <Link
                aria-current={row.id === shown?.id ? 'true' : undefined}
                className={cx('rounded-md border px-3 py-1.5', row.id === shown?.id ? 'border-accent bg-selected' : 'border-line bg-panel hover:bg-hover')}
                key={row.id}
                search={{ id: row.id }}
                to="/freezes"
              >
                <Untrusted text={scopeWords(row.scope)} />
              </Link>
            ))}
          </nav>
        )}
        {shown && <One key={shown.id} row={shown} />}
      </PageBody>
    </>
  )
}

function One({ row }: { row: FreezeRow }) {
  const sign = useSigning()
  const view = useQuery(freezeQuery(row.id))
  return (
    <>
      <Card
        actions={
          <Button hint="Going on takes two people: you sign, another person approves." icon="play" onClick={() => sign({ kind: 'thaw', body: { id: row.id, reason: '' } })}>
            Thaw
          </Button>
        }
        title={
          <>
            Frozen: <Untrusted text={scopeWords(row.scope)} />
          </>
        }
      >
        <p className="mb-3 text-ink-2">
          By <Untrusted text={row.by.join(', ')} /> since <Time absolute at={row.since} />, until <Time absolute at={row.until} /> (<Time at={row.until} />). <code className="text-ink-3">{row.id}</code>
        </p>
        {view.error && <ErrorBox problem={problemOf(view.error)} retry={() => void view.refetch()} />}
        {view.data ? <Confirmations view={view.data} /> : !view.error && <Loading lines={3} />}
      </Card>
      {view.data && view.data.rows.length > 0 && <Who view={view.data} />}
    </>
  )
}

function Confirmations({ view }: { view: FreezeView }) {
  return (
    <div className="flex flex-col gap-3">
      <p aria-live="polite" className="tabular text-2xl font-semibold">
        {count(view.confirmed)} <span className="text-base font-normal text-ink-2">of {count(view.endpoints)} endpoints have confirmed, each with its own signature</span>
      </p>
      <Meter
        label="Confirmations"
        legend
        parts={[
          { name: 'confirmed', value: view.confirmed, tone: 'frost' },
          { name: 'connected, not yet', value: view.missing, tone: 'bad' },
          { name: 'away', value: view.offline, tone: 'plain' },
        ]}
        total={view.endpoints}
      />
      {view.bad > 0 && (
        <Notice icon="alert" tone="bad">
          {count(view.bad)} confirmations do not verify: the server made them up. Trust the others only.
        </Notice>
      )}
      {view.missing > 0 && (
        <Notice icon="alert" tone="warn">
          <p>If connected endpoints stay without confirming, the server may be withholding the freeze. Hand it over another way:</p>
          <div className="mt-2 flex flex-col gap-1.5">
            <Command label="command for mirrors" text="bartizan freeze --export freeze.json" />
            <Command label="command for the local network" text="bartizan freeze --send freeze.json --lan" />
          </div>
        </Notice>
      )}
    </div>
  )
}

const words = { frozen: ['frost', 'frozen'], not_yet: ['bad', 'not yet'], offline: ['plain', 'away'] } as const

const limit = 50

function Who({ view }: { view: FreezeView }) {
  const [offset, setOffset] = useState(0)
  return (
    <Card flush title="Endpoints">
      <Table heads={[{ name: 'Endpoint' }, { name: 'State' }, { name: 'By way of' }, { name: 'When' }]} label="Endpoints and this freeze">
        {view.rows.slice(offset, offset + limit).map((row) => (
          <tr key={row.endpoint}>
            <td>
              <EndpointName hostname={row.hostname} id={row.endpoint} />
            </td>
            <td>
              <Badge tone={words[row.state][0]}>{words[row.state][1]}</Badge>
            </td>
            <td className="text-ink-2">{row.way && <Untrusted text={row.way} />}</td>
            <td className="text-ink-2">{row.at != null && <Time at={row.at} />}</td>
          </tr>
        ))}
      </Table>
      <Pager limit={limit} offset={offset} onOffset={setOffset} total={view.rows.length} />
    </Card>
  )
}
