import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactElement, type ReactNode, cloneElement } from 'react'

import { problemOf } from '~/api/client'
import { meQuery, outsideOf, overviewQuery } from '~/api/queries'
import type { Me, Overview } from '~/api/schema'
import { count, plural } from '~/lib/format'
import type { Tone } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Meter } from '~/ui/Meter'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { ClassBadge, State } from '../jobs/badges'
import { JobProgress } from '../jobs/JobProgress'
import { useSigning } from '../sign/signing'
import { Checklist } from './Checklist'
import { FirstRun } from './FirstRun'

/** What needs a person now; for a new organisation, the way there. */
export function StartPage() {
  const sign = useSigning()
  const me = useQuery(meQuery())
  const overview = useQuery(overviewQuery(me.data))
  const name = me.data?.operator?.name
  const outside = outsideOf(me.data)
  return (
    <>
      <PageHead title={outside ? 'Welcome to Bartizan' : name ? <>Good to see you, <Untrusted text={name} /></> : 'Start'} under={outside ? 'This console belongs to no organisation yet.' : overview.data && summary(overview.data)} />
      <PageBody>
        {me.error && !me.data && <ErrorBox problem={problemOf(me.error)} retry={() => void me.refetch()} />}
        {me.data?.problem && me.data.standing !== 'no_organisation' && me.data.standing !== 'login_needed' && <ErrorBox problem={me.data.problem} retry={() => void me.refetch()} />}
        {overview.error && me.data?.standing === 'ready' && <ErrorBox problem={problemOf(overview.error)} retry={() => void overview.refetch()} />}
        {me.data?.organisation?.warning && (
          <Notice icon="clock" tone="warn">
            <Prose text={me.data.organisation.warning} />
          </Notice>
        )}
        {me.data?.standing === 'login_needed' && (
          <Notice icon="key" tone="accent">
            <div className="flex flex-wrap items-center gap-3">
              <p className="flex-1">Your passkey signs a login for this console once; then it can ask the server for twelve hours.</p>
              <Button icon="key" look="primary" onClick={() => sign({ kind: 'login' })}>
                Log in
              </Button>
            </div>
          </Notice>
        )}
        {outside && <FirstRun />}
        {me.data && me.data.standing !== 'ready' && me.data.standing !== 'login_needed' && <Checklist me={me.data} overview={overview.data} />}
        {overview.isPending && !me.error && !outside && <Loading />}
        {overview.data && me.data?.standing === 'ready' && <Board me={me.data} overview={overview.data} />}
      </PageBody>
    </>
  )
}

function summary(overview: Overview): string {
  const parts = [plural(overview.endpoints.total, 'endpoint')]
  parts.push(overview.waiting_for_me > 0 ? `${plural(overview.waiting_for_me, 'signature')} wanted of you` : 'nothing waits for you')
  if (overview.active.length > 0) parts.push(`${plural(overview.active.length, 'job')} at work`)
  return parts.join(', ')
}

function Board({ me, overview }: { me: Me; overview: Overview }) {
  const navigate = useNavigate()
  const { endpoints } = overview
  const calm = overview.alerts.filter((alert) => alert.severity !== 'urgent')
  return (
    <>
      {calm.map((alert) => (
        <Notice icon="alert" key={`${alert.code} ${alert.text}`} tone="warn">
          <p className="font-medium">
            <Prose text={alert.text} />
          </p>
          <p className="text-ink-2">
            <Prose text={alert.next} />
          </p>
        </Notice>
      ))}
      <div className="grid grid-cols-2 gap-3 xl:grid-cols-4">
        <Figure link={<Link search={{}} to="/fleet" />} name="Endpoints" value={count(endpoints.total)}>
          <Meter
            label="Endpoints"
            parts={[
              { name: 'connected', value: endpoints.connected, tone: 'ok' },
              { name: 'away', value: endpoints.away, tone: 'plain' },
              { name: 'in quarantine', value: endpoints.quarantined, tone: 'warn' },
            ]}
            total={endpoints.total}
          />
          <p className="mt-1.5 truncate text-sm text-ink-2">
            {count(endpoints.connected)} connected, {count(endpoints.away)} away
            {endpoints.quarantined > 0 && `, ${count(endpoints.quarantined)} in quarantine`}
          </p>
        </Figure>
        <Figure
          link={<Link search={{}} to="/approvals" />}
          name="For you to sign"
          tone={overview.waiting_for_me > 0 ? 'accent' : 'plain'}
          value={count(overview.waiting_for_me)}
        >
          <p className="text-sm text-ink-2">{overview.waiting > overview.waiting_for_me ? `${overview.waiting - overview.waiting_for_me} more wait for others` : 'nothing waits for others'}</p>
        </Figure>
        <Figure link={<Link search={{ state: 'active' }} to="/jobs" />} name="Jobs at work" value={count(overview.active.length)}>
          <p className="text-sm text-ink-2">{overview.active.length === 0 ? 'All is quiet' : <Untrusted max={60} text={overview.active[0]?.title ?? ''} />}</p>
        </Figure>
        <Figure link={<Link search={{}} to="/freezes" />} name="Standing still" tone={overview.freezes.length > 0 ? 'frost' : 'plain'} value={overview.freezes.length === 0 ? 'nothing' : count(overview.freezes.length)}>
          <p className="text-sm text-ink-2">{overview.freezes.length === 0 ? 'Freeze is on every page, top right' : plural(overview.freezes.length, 'freeze')}</p>
        </Figure>
      </div>
      {overview.pending.length > 0 && (
        <Notice icon="clock" tone="warn">
          <div className="flex flex-wrap items-center gap-3">
            <p className="flex-1 basis-48">
              <b className="font-medium">{plural(overview.pending.length, 'bundle')}</b> that {overview.pending.length === 1 ? 'weakens' : 'weaken'} something will act{' '}
              {overview.pending[0] && <Time at={overview.pending[0].due} />}. One root operator can stop that.
            </p>
            <Button onClick={() => void navigate({ to: '/trust', search: {} })}>Look at it</Button>
          </div>
        </Notice>
      )}
      {overview.active.length > 0 && (
        <Card flush title="At work">
          <Table heads={[{ name: 'Job' }, { name: 'Class' }, { name: 'State' }, { name: 'Endpoints' }, { name: 'Signed' }]} label="Jobs at work">
            {overview.active.map((job) => (
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
                  <State name={job.state} />
                </td>
                <td className="min-w-36">
                  <JobProgress row={job} />
                </td>
                <td className="text-ink-2">
                  <Time at={job.at} />
                </td>
              </tr>
            ))}
          </Table>
        </Card>
      )}
      <Checklist me={me} overview={overview} />
    </>
  )
}

const inks: Record<Tone, string> = { plain: '', ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', accent: 'text-accent', frost: 'text-frost' }

function Figure({ name, value, tone = 'plain', link, children }: { name: string; value: string; tone?: Tone; link: ReactElement<{ className?: string; 'aria-label'?: string }>; children: ReactNode }) {
  return (
    <section className="relative min-w-0 rounded-lg border border-line bg-panel px-4 py-3 transition-colors hover:border-line-strong">
      <h2 className="label">{name}</h2>
      <p className={`tabular mt-0.5 mb-1.5 text-2xl font-semibold tracking-[-0.02em] ${inks[tone]}`}>{value}</p>
      {children}
      {cloneElement(link, { className: 'absolute inset-0 rounded-lg', 'aria-label': name })}
    </section>
  )
}
