import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { type ReactNode, useRef, useState } from 'react'

import { useFreezing } from '~/app/freezing'
import { problemOf } from '~/api/client'
import { useJobNews } from '~/api/events'
import { forget, jobQuery } from '~/api/queries'
import type { JobView } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Tabs } from '~/ui/Tabs'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { Signatures } from '../sign/Signatures'
import { useSigning } from '../sign/signing'
import { ClassBadge, State, Verified } from './badges'
import { Output, type OutputLine, appendOutput } from './Output'
import { JobReceipts } from './Receipts'
import { Rollout } from './Rollout'
import { Targets } from './Targets'

import { tabs } from './search'

const route = getRouteApi('/shell/jobs/$id')

/** One job: how it goes, endpoint by endpoint, and what was signed. */
export function JobPage() {
  const { id } = route.useParams()
  const job = useQuery(jobQuery(id))
  if (job.error) {
    return (
      <>
        <PageHead title="Job" />
        <PageBody>
          <ErrorBox problem={problemOf(job.error)} retry={() => void job.refetch()} />
        </PageBody>
      </>
    )
  }
  return job.data ? <Job job={job.data} key={id} /> : <Waiting />
}

function Waiting() {
  return (
    <>
      <PageHead title="Job" />
      <PageBody>
        <Loading />
      </PageBody>
    </>
  )
}

function Job({ job }: { job: JobView }) {
  const { tab = 'progress', state } = route.useSearch()
  const { id } = job.row
  const sign = useSigning()
  const freeze = useFreezing()
  const queries = useQueryClient()
  const running = job.row.state === 'active'
  const [output, setOutput] = useState<OutputLine[]>([])
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useJobNews(id, running, (news) => {
    if (news.kind === 'output') setOutput((before) => appendOutput(before, news))
    // Thousands of endpoints move at once; the counts are asked for once a second at most.
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      forget(queries, ['jobs'])
    }, 1_000)
  })
  const approve = job.row.state === 'pending' ? () => sign({ kind: 'approval', body: { id } }) : undefined
  useKeys({ a: approve })
  return (
    <>
      <PageHead
        actions={<Actions approve={approve} freeze={() => freeze(`job:${id}`)} job={job} withdraw={() => sign({ kind: 'withdrawal', body: { id, reason: '' } })} />}
        before={
          <Link className="hover:text-ink" search={{}} to="/jobs">
            Jobs
          </Link>
        }
        tabs={
          <Tabs
            label="Job"
            tabs={tabs.map((name) => ({ name, current: name === tab, link: <Link params={{ id }} search={{ tab: name }} to="/jobs/$id" /> }))}
          />
        }
        title={<Untrusted max={200} text={job.row.title} />}
        under={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <State name={job.row.state} />
            <ClassBadge name={job.row.class} />
            <span>
              {plural(job.row.targets, 'endpoint')} of <Untrusted text={job.tenant} />
            </span>
            <Verified by={job.verification} />
            {job.withdrawn && <Badge tone="warn">taken back</Badge>}
          </span>
        }
      />
      <PageBody>
        {!job.verification.verified && (
          <Notice icon="alert" tone="bad">
            <Prose text={job.verification.problem ?? 'This does not verify.'} /> Treat what follows as the server’s word only, and tell the other operators.
          </Notice>
        )}
        {job.row.state === 'pending' && <Pending job={job} />}
        {tab === 'progress' && (
          <>
            <Rollout job={job} />
            <Output lines={output} live={running} />
          </>
        )}
        {tab === 'endpoints' && <Targets job={job} state={state} />}
        {tab === 'receipts' && <JobReceipts id={id} />}
        {tab === 'statement' && <StatementTab job={job} />}
      </PageBody>
    </>
  )
}

function Actions(props: { job: JobView; approve: (() => void) | undefined; freeze: () => void; withdraw: () => void }) {
  const { job } = props
  const over = !['pending', 'active'].includes(job.row.state) && 'It has ended; there is nothing left to stop.'
  return (
    <>
      {props.approve && (
        <Button icon="key" look="primary" onClick={props.approve}>
          Approve <Kbd keys="a" />
        </Button>
      )}
      <Button disabledReason={job.withdrawn ? 'It was taken back already.' : over} hint="Ends it for good, everywhere. One person is enough." icon="close" onClick={props.withdraw}>
        Take back
      </Button>
      <Button disabledReason={over} hint="Endpoints end what runs of it and start no more." icon="snow" look="frost" onClick={props.freeze}>
        Halt
      </Button>
    </>
  )
}

function Pending({ job }: { job: JobView }) {
  return (
    <Notice icon="clock" tone="warn">
      <p className="font-medium">
        {job.approvals} of {job.approvals_needed} {job.approvals_needed === 1 ? 'person has' : 'people have'} countersigned. <Prose text={job.who_else} />
      </p>
      <p className="mt-0.5 text-ink-2">Nothing runs before that. Give the others these words:</p>
      <div className="mt-2">
        <Words size="sm" words={job.words} />
      </div>
    </Notice>
  )
}

function StatementTab({ job }: { job: JobView }) {
  return (
    <>
      <div className="grid gap-4 xl:grid-cols-2">
        <Card title="About it">
          <Facts
            rows={[
              ['Id', <code className="break-all" key="id">{job.row.id}</code>],
              ['Signed', <Time absolute at={job.row.at} key="at" />],
              ['May start', <span key="window"><Time absolute at={job.begins} /> to <Time absolute at={job.ends} /></span>],
              ...(job.starts ? [['Starts again', <Prose key="starts" text={job.starts} />] as [string, ReactNode]] : []),
              ['Reason', job.reason || job.ticket ? <Prose key="reason" text={`${job.ticket} ${job.reason}`.trim()} /> : 'none given'],
              ['Jobs log', <Link className="text-accent underline" key="log" search={{ log: 'jobs', index: job.log_index }} to="/log">entry {job.log_index}</Link>],
              ['Witnessed', job.witnessed ? 'yes, by the server’s word' : 'not yet: run bartizan witness on two computers'],
            ]}
          />
        </Card>
        <Card title="Signatures">
          <Signatures list={job.signatures} />
          <div className="mt-3">
            <Words size="sm" words={job.words} />
          </div>
        </Card>
      </div>
      <Card title="The statement in words">
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre aria-label="The statement in words" className="max-h-160 overflow-auto" role="region" tabIndex={0}>
          <Untrusted multiline text={job.text} />
        </pre>
      </Card>
    </>
  )
}
