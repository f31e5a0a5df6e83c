import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { problemOf } from '~/api/client'
import { endpointChecksQuery } from '~/api/policies'
import type { CheckResult, EndpointChecks, PassedCheck, RunningCheck } from '~/api/schema'
import { Badge, type Tone } from '~/ui/Badge'
import { Card } from '~/ui/Layout'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

const tones: Record<string, Tone> = { ok: 'ok', warn: 'warn', error: 'bad', unknown: 'warn' }

/** What an endpoint looks at, why, and how that stands. */
export function ChecksTab({ id }: { id: string }) {
  const checks = useQuery(endpointChecksQuery(id))
  if (checks.error) return <ErrorBox problem={problemOf(checks.error)} retry={() => void checks.refetch()} />
  if (!checks.data) return <Loading />
  const { running, passed_over: passed, not_there: absent, other } = checks.data
  return (
    <>
      <Running running={running} />
      {passed.length > 0 && <Passed rows={passed} title="Checks that do not run here" />}
      {absent.length > 0 && <Passed rows={absent} title="Policies that do not stand here" />}
      {other.length > 0 && (
        <Card title="Results of checks that no policy names any more">
          <Results rows={other} withCheck />
        </Card>
      )}
    </>
  )
}

function Running({ running }: { running: EndpointChecks['running'] }) {
  if (running.length === 0) {
    return (
      <Empty
        action={
          <Link className="inline-flex h-7.5 items-center rounded-md border border-line-strong bg-raised px-2.5 hover:bg-hover" to="/policies/write">
            Begin with the default checks
          </Link>
        }
        icon="pulse"
        title="It looks at nothing"
      >
        A check runs here when a signed policy of this endpoint, its site, its tenant or the organisation names it, and the endpoint has taken that policy in.
      </Empty>
    )
  }
  return (
    <Card flush title="What it looks at, and why">
      <ul className="divide-y divide-line/60">
        {running.map((check) => (
          <Check check={check} key={check.id} />
        ))}
      </ul>
    </Card>
  )
}

function Check({ check }: { check: RunningCheck }) {
  return (
    <li className="grid gap-x-6 gap-y-1 px-4 py-2.5 lg:grid-cols-2">
      <div className="min-w-0 break-words">
        <p className="font-medium">
          <Untrusted className="whitespace-normal!" max={400} text={check.words} />
        </p>
        <p className="text-ink-2">
          because of{' '}
          <Link className="text-accent underline" params={{ id: check.policy }} to="/policies/$id">
            <Untrusted className="whitespace-normal!" max={200} text={check.because} />
          </Link>
        </p>
      </div>
      <div className="min-w-0">{check.results.length === 0 ? <p className="text-ink-3">No result yet: the first comes after as many looks as the check asks for.</p> : <Results rows={check.results} />}</div>
    </li>
  )
}

function Results({ rows, withCheck = false }: { rows: CheckResult[]; withCheck?: boolean }) {
  return (
    <ul className="flex flex-col gap-1">
      {rows.slice(0, 50).map((row, at) => (
        <li className="flex min-w-0 flex-wrap items-baseline gap-x-2" key={at}>
          <Badge tone={tones[row.state] ?? 'plain'}>
            <Untrusted text={row.state} />
          </Badge>
          {(withCheck || row.instance) && (
            <span className="font-medium break-all">
              <Untrusted className="whitespace-normal!" max={130} text={[withCheck ? row.check : '', row.instance].filter(Boolean).join(' ')} />
            </span>
          )}
          <span className="break-words">
            <Untrusted className="whitespace-normal!" max={260} text={row.text} />
          </span>
          <span className="text-ink-3">
            since <Time at={row.since} />, looked <Time at={row.at} />
          </span>
        </li>
      ))}
    </ul>
  )
}

function Passed({ title, rows }: { title: string; rows: PassedCheck[] }) {
  return (
    <Card flush title={title}>
      <ul className="divide-y divide-line/60">
        {rows.map((row, at) => (
          <li className="px-4 py-2 break-words" key={at}>
            <Link className="font-medium hover:text-accent" params={{ id: row.policy }} to="/policies/$id">
              <Untrusted className="whitespace-normal!" max={400} text={row.words} />
            </Link>
            <p className="text-ink-2">
              <Untrusted className="whitespace-normal!" max={600} text={row.why} />
            </p>
          </li>
        ))}
      </ul>
    </Card>
  )
}
