import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { Suspense, lazy, useState } from 'react'

import { problemOf } from '~/api/client'
import { admitEndpoint, endpointJobsQuery, endpointQuery, refreshEndpoint } from '~/api/queries'
import type { EndpointView } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { Button } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Pager } from '~/ui/Pager'
import { Prose } from '~/ui/Prose'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Tabs } from '~/ui/Tabs'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointAlerts } from '../alerts/EndpointAlerts'
import { EndpointState } from '../fleet/columns'
import { InventoryTab } from '../inventory/InventoryTab'
import { ClassBadge, State, Verified } from '../jobs/badges'
import { ChecksTab } from '../policies/ChecksTab'
import { EndpointReceipts } from '../jobs/Receipts'

import { tabs } from './search'

// Drawings are a library of their own.
const MetricsTab = lazy(() => import('../metrics/MetricsTab').then((all) => ({ default: all.MetricsTab })))

const route = getRouteApi('/shell/endpoints/$id')

export function EndpointPage() {
  const { id } = route.useParams()
  const endpoint = useQuery(endpointQuery(id))
  if (endpoint.data) return <Endpoint key={id} view={endpoint.data} />
  return (
    <>
      <PageHead title="Endpoint" />
      <PageBody>{endpoint.error ? <ErrorBox problem={problemOf(endpoint.error)} retry={() => void endpoint.refetch()} /> : <Loading />}</PageBody>
    </>
  )
}

function Endpoint({ view }: { view: EndpointView }) {
  const { row } = view
  const { tab = 'overview', range } = route.useSearch()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const after = { onSuccess: () => queries.invalidateQueries({ queryKey: ['fleet'] }) }
  const admit = useMutation({ mutationFn: () => admitEndpoint(row.id), ...after })
  const refresh = useMutation({ mutationFn: () => refreshEndpoint(row.id), ...after })
  const run = () => void navigate({ to: '/run', search: { on: [row.id] } })
  const quarantined = row.state === 'quarantined'
  useKeys({ r: quarantined ? undefined : run })
  return (
    <>
      <PageHead
        actions={
          <>
            {quarantined && (
              <Button busy={admit.isPending} icon="check" look="primary" onClick={() => admit.mutate()}>
                Let it in
              </Button>
            )}
            <Button
              busy={refresh.isPending}
              disabledReason={row.state === 'away' && 'It is away: its inventory comes when it returns.'}
              icon="repeat"
              onClick={() => refresh.mutate()}
            >
              {refresh.isSuccess ? 'Asked' : 'Ask for inventory'}
            </Button>
            <Button disabledReason={quarantined && 'It is in quarantine: nothing reaches it until somebody lets it in.'} icon="play" look={quarantined ? 'plain' : 'primary'} onClick={run}>
              Run a script <Kbd keys="r" />
            </Button>
          </>
        }
        before={
          <>
            <Link className="hover:text-ink" search={{}} to="/fleet">
              Fleet
            </Link>
            {row.tenant && (
              <>
                {' / '}
                <Link className="hover:text-ink" search={{ tenant: row.tenant }} to="/fleet">
                  <Untrusted text={row.tenant} />
                </Link>
              </>
            )}
            {row.tenant && row.site && (
              <>
                {' / '}
                <Link className="hover:text-ink" search={{ tenant: row.tenant, site: row.site }} to="/fleet">
                  <Untrusted text={row.site} />
                </Link>
              </>
            )}
          </>
        }
        tabs={<Tabs label="Endpoint" tabs={tabs.map((name) => ({ name, current: name === tab, link: <Link params={{ id: row.id }} search={{ tab: name }} to="/endpoints/$id" /> }))} />}
        title={row.hostname ? <Untrusted max={160} text={row.hostname} /> : 'No name reported'}
        under={
          <span className="flex flex-wrap items-center gap-x-3">
            <EndpointState state={row.state} />
            <span>
              last heard {row.last_seen == null ? 'never' : <Time at={row.last_seen} />}
            </span>
            <Untrusted max={120} text={row.os} />
            <Verified by={view.verification} />
          </span>
        }
      />
      <PageBody>
        {[admit.error, refresh.error].map((error) => error && <ErrorBox key={error.message} problem={problemOf(error)} />)}
        {!view.verification.verified && (
          <Notice icon="alert" tone="bad">
            <Prose text={view.verification.problem ?? 'Its enrolment does not verify.'} />
          </Notice>
        )}
        {quarantined && (
          <Notice icon="alert" tone="warn">
            It may report, and nothing reaches it. Compare its id with what the machine itself says (<code>bartizan-guard status</code>), then let it in.
          </Notice>
        )}
        {tab === 'overview' && <OverviewTab view={view} />}
        {tab === 'checks' && <ChecksTab id={row.id} />}
        {tab === 'metrics' && (
          <Suspense fallback={<Loading />}>
            <MetricsTab id={row.id} range={range} />
          </Suspense>
        )}
        {tab === 'jobs' && <JobsTab id={row.id} />}
        {tab === 'receipts' && <EndpointReceipts id={row.id} />}
        {tab === 'inventory' && <InventoryTab view={view} />}
      </PageBody>
    </>
  )
}

function OverviewTab({ view }: { view: EndpointView }) {
  const { row } = view
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <Card title="Who it is">
        <Facts
          rows={[
            ['Id', <code className="break-all" key="id">{row.id}</code>],
            ['Device key', view.fingerprint ? <code className="break-all" key="key">{view.fingerprint}</code> : 'not proven'],
            ['Tenant', view.tenant ? <span key="tenant"><Untrusted text={view.tenant} /> <span className="text-ink-3">by its signed enrolment</span></span> : <span className="text-ink-3" key="tenant">none proven</span>],
            ['Site', row.site ? <span key="site"><Untrusted text={row.site} /> <span className="text-ink-3">by the server’s word</span></span> : 'none'],
          ]}
        />
      </Card>
      <Card title="How it is">
        <Facts
          rows={[
            ['Link', <EndpointState key="state" state={row.state} />],
            ['Last heard', row.last_seen == null ? 'never' : <span key="seen"><Time at={row.last_seen} /> <span className="text-ink-3">(<Time absolute at={row.last_seen} />)</span></span>],
            ['System', <Untrusted className="whitespace-normal!" key="os" max={200} text={row.os} />],
            ['Inventory', view.inventory_at == null ? 'none yet' : <Time at={view.inventory_at} key="inventory" />],
          ]}
        />
      </Card>
      <div className="xl:col-span-2">
        <EndpointAlerts id={row.id} />
      </div>
      <div className="xl:col-span-2">
        <JobsTab id={row.id} />
      </div>
    </div>
  )
}

const limit = 25

function JobsTab({ id }: { id: string }) {
  const [offset, setOffset] = useState(0)
  const jobs = useQuery(endpointJobsQuery(id, { offset, limit }))
  if (jobs.error) return <ErrorBox problem={problemOf(jobs.error)} retry={() => void jobs.refetch()} />
  if (!jobs.data) return <Loading />
  return (
    <Card flush title="Jobs">
      {jobs.data.total === 0 ? (
        <Empty icon="jobs" title="Nothing was ever asked of it">
          Press <Kbd keys="r" /> to write a script for this endpoint. One endpoint and a known script need nobody else.
        </Empty>
      ) : (
        <>
          <Table heads={[{ name: 'Job' }, { name: 'Class' }, { name: 'Here' }, { name: 'Code' }, { name: 'Exit' }, { name: 'Signed' }]} label="Jobs of this endpoint">
            {jobs.data.rows.map(({ job, target }) => (
              <tr key={job.id}>
                <td>
                  <Link className="font-medium hover:text-accent" params={{ id: job.id }} search={{}} to="/jobs/$id">
                    <Untrusted max={120} text={job.title} />
                  </Link>
                </td>
                <td>
                  <ClassBadge name={job.class} />
                </td>
                <td>
                  <State name={target.state} />
                </td>
                <td>
                  {target.code && (
                    <code title={target.next ?? undefined}>
                      <Untrusted text={target.code} />
                    </code>
                  )}
                </td>
                <td className="tabular">{target.exit}</td>
                <td className="text-ink-2">
                  <Time at={job.at} />
                </td>
              </tr>
            ))}
          </Table>
          <Pager limit={limit} offset={offset} onOffset={setOffset} total={jobs.data.total} />
        </>
      )}
    </Card>
  )
}
