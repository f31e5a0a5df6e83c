import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'

import { problemOf } from '~/api/client'
import { jobsQuery } from '~/api/queries'
import type { JobRow } from '~/api/schema'
import { plural, shortId } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Icon } from '~/ui/Icon'
import { PageHead } from '~/ui/Layout'
import { Empty, ErrorBox } from '~/ui/States'
import { Tabs } from '~/ui/Tabs'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { type Column, VirtualTable } from '~/ui/VirtualTable'

import { ClassBadge, State } from './badges'
import { JobProgress } from './JobProgress'

import { states } from './search'

const route = getRouteApi('/shell/jobs')
const windowSize = 100

const columns: Column<JobRow>[] = [
  {
    id: 'title',
    name: 'Title',
    track: 'minmax(10rem,3fr)',
    cell: (row) => (
      <Link className="font-medium hover:text-accent" params={{ id: row.id }} search={{}} tabIndex={-1} to="/jobs/$id">
        {row.until != null && <Icon className="mr-1.5 inline text-ink-3" name="repeat" size={13} />}
        <Untrusted max={160} text={row.title} />
      </Link>
    ),
  },
  { id: 'state', name: 'State', track: '9.5rem', cell: (row) => <State name={row.state} /> },
  { id: 'class', name: 'Class', track: '5rem', above: 520, cell: (row) => <ClassBadge name={row.class} /> },
  {
    id: 'author',
    name: 'Author',
    track: 'minmax(6rem,1fr)',
    above: 900,
    cell: (row) => <span className="text-ink-2">{row.author ? <Untrusted max={60} text={row.author} /> : 'unknown'}</span>,
  },
  { id: 'tenant', name: 'Tenant', track: 'minmax(6rem,1fr)', above: 1000, cell: (row) => row.tenant && <Untrusted max={60} text={row.tenant} /> },
  { id: 'progress', name: 'Endpoints', track: '9rem', above: 640, cell: (row) => <JobProgress row={row} /> },
  { id: 'at', name: 'Signed', track: '6rem', above: 440, cell: (row) => <span className="text-ink-2"><Time at={row.at} /></span> },
  { id: 'id', name: 'Id', track: '7.5rem', above: 800, cell: (row) => <code className="text-ink-3" title={row.id}>{shortId(row.id)}</code> },
]

/** Every job, newest first. */
export function JobsPage() {
  const { state } = route.useSearch()
  const navigate = useNavigate()
  const filters = useMemo(() => (state ? { state } : {}), [state])
  const [range, setRange] = useState({ from: 0, to: 0 })
  const onWindow = useCallback((from: number, to: number) => setRange({ from, to }), [])
  const first = useQuery(jobsQuery({ ...filters, offset: 0, limit: windowSize }))
  const pages = [...new Set([Math.floor(range.from / windowSize), Math.floor(range.to / windowSize)])]
  const windows = useQueries({ queries: pages.map((page) => jobsQuery({ ...filters, offset: page * windowSize, limit: windowSize })) })
  const rowAt = (index: number) => {
    const page = Math.floor(index / windowSize)
    return (page === 0 ? first.data : windows[pages.indexOf(page)]?.data)?.rows[index % windowSize]
  }
  return (
    <>
      <PageHead
        actions={
          <Button icon="play" look="primary" onClick={() => void navigate({ to: '/run', search: {} })}>
            Run a script
          </Button>
        }
        tabs={
          <Tabs
            label="State of jobs"
            tabs={[{ id: undefined, name: 'All' }, ...states.map((one) => ({ id: one, name: one === 'pending' ? 'Waiting for signatures' : one === 'active' ? 'At work' : one }))].map((tab) => ({
              name: tab.name,
              current: tab.id === state,
              link: <Link search={tab.id ? { state: tab.id } : {}} to="/jobs" />,
            }))}
          />
        }
        title="Jobs"
        under={first.data && plural(first.data.total, 'job')}
      />
      {first.error ? (
        <div className="p-4">
          <ErrorBox problem={problemOf(first.error)} retry={() => void first.refetch()} />
        </div>
      ) : (
        <VirtualTable
          columns={columns}
          empty={
            first.data && (
              <Empty
                action={
                  <Button look="primary" onClick={() => void navigate({ to: '/run', search: {} })}>
                    Run a script
                  </Button>
                }
                icon="jobs"
                title={state ? 'No job is in this state' : 'Nothing has been signed yet'}
              >
                A job is a script that people signed for named endpoints, until a named time. Every endpoint judges it by itself and answers with a receipt.
              </Empty>
            )
          }
          key={state ?? 'all'}
          keyOf={(row) => row.id}
          label="Jobs"
          onOpen={(row) => void navigate({ to: '/jobs/$id', params: { id: row.id }, search: {} })}
          onWindow={onWindow}
          rowAt={rowAt}
          total={first.isPending ? 12 : (first.data?.total ?? 0)}
        />
      )}
    </>
  )
}
