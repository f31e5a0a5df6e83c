import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'

import { alertQuery } from '~/api/alerts'
import { problemOf } from '~/api/client'
import type { AlertEvent, AlertMessage, AlertView } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge, type Tone } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Empty, ErrorBox, Loading } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { Deed, type DeedKind } from './Deed'
import { AlertStateName, CheckName, Severity, Where } from './words'

const route = getRouteApi('/shell/alerts/$id')

/** One alert: how it is, why it is told or not, and all that happened. */
export function AlertPage() {
  const { id } = route.useParams()
  const alert = useQuery(alertQuery(id))
  if (alert.data) return <Shown key={id} view={alert.data} />
  return (
    <>
      <PageHead title="Alert" />
      <PageBody>{alert.error ? <ErrorBox problem={problemOf(alert.error)} retry={() => void alert.refetch()} /> : <Loading />}</PageBody>
    </>
  )
}

function Shown({ view }: { view: AlertView }) {
  const { alert } = view
  const [deed, setDeed] = useState<DeedKind>()
  const over = alert.state === 'resolved' && 'It is over already.'
  const away = alert.check === 'link' && alert.endpoint != null && !over
  useKeys({ n: () => setDeed('note'), ...(over ? {} : { a: () => setDeed('acknowledge'), e: () => setDeed('resolve') }) })
  const close = () => setDeed(undefined)
  return (
    <>
      <PageHead
        actions={
          <>
            {away && (
              <Button icon="bell" onClick={() => setDeed('tell_me')}>
                Tell me when back
              </Button>
            )}
            <Button onClick={() => setDeed('note')}>
              Note <Kbd keys="n" />
            </Button>
            <Button disabledReason={over} onClick={() => setDeed('resolve')}>
              Resolve <Kbd keys="e" />
            </Button>
            <Button disabledReason={over} icon="check" look="primary" onClick={() => setDeed('acknowledge')}>
              Acknowledge <Kbd keys="a" />
            </Button>
          </>
        }
        before={
          <Link className="hover:text-ink" search={{}} to="/alerts">
            Alerts
          </Link>
        }
        title={<CheckName alert={alert} />}
        under={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Severity of={alert.severity} />
            <AlertStateName alert={alert} />
            <Where alert={alert} link />
          </span>
        }
      />
      <PageBody>
        <div className="grid gap-4 xl:grid-cols-2">
          <Card title="What is wrong">
            <p className="mb-3 text-lg break-words">
              <Untrusted className="whitespace-normal!" max={300} text={alert.text || 'It gave no words.'} />
            </p>
            <Facts
              rows={[
                ['Since', <span key="since"><Time at={alert.since} /> <span className="text-ink-3">by the endpoint’s clock</span></span>],
                ['Changed', <Time at={alert.changed} key="changed" />],
                ...(alert.resolved == null ? [] : [['Over', <Time at={alert.resolved} key="over" />] satisfies [string, ReactNode]]),
                ...(alert.acknowledged
                  ? [['Looks after it', <span key="who"><Untrusted text={alert.acknowledged.name} />, <Time at={alert.acknowledged.at} />{alert.acknowledged.note && <>: <Untrusted className="whitespace-normal!" max={1100} text={alert.acknowledged.note} /></>}</span>] satisfies [string, ReactNode]]
                  : []),
                ...(alert.hidden_by ? [['Consequence of', <Link className="text-accent underline" key="behind" params={{ id: alert.hidden_by }} to="/alerts/$id">another alert</Link>] satisfies [string, ReactNode]] : []),
                ...(alert.hidden > 0 ? [['Behind it', <Link className="text-accent underline" key="hidden" search={{ behind: alert.id }} to="/alerts">{plural(alert.hidden, 'consequence')}</Link>] satisfies [string, ReactNode]] : []),
                ['Id', <code className="break-all" key="id">{alert.id}</code>],
              ]}
            />
          </Card>
          <Card title="Why it is told, or not">
            {view.why.length === 0 ? (
              <p className="text-ink-2">It has been over for a while: nothing is decided about it any more.</p>
            ) : (
              <Facts rows={view.why.map((why, at) => [<Untrusted key={`${at} about`} text={why.about} />, <Untrusted className="whitespace-normal!" key={`${at} says`} max={600} text={why.says} />])} />
            )}
          </Card>
        </div>
        <Messages rows={view.messages} />
        <History rows={view.history} />
      </PageBody>
      {deed && <Deed alerts={[alert]} kind={deed} onClose={close} onDone={close} />}
    </>
  )
}

const sent: Record<string, Tone> = { sent: 'ok', failed: 'bad', waiting: 'warn' }

function Messages({ rows }: { rows: AlertMessage[] }) {
  return (
    <Card flush title="Messages">
      {rows.length === 0 ? (
        <Empty icon="bell" title="Nothing was sent">
          The lines above say why. Who is told over which channel stands under <Link className="text-accent underline" to="/alerts/rules">windows and routes</Link>.
        </Empty>
      ) : (
        <Table heads={[{ name: 'Decided' }, { name: 'Channel' }, { name: 'State' }, { name: 'Tries' }, { name: 'What went wrong' }]} label="Messages about this alert">
          {rows.map((row, at) => (
            <tr key={at}>
              <td className="text-ink-2">
                <Time at={row.created} />
              </td>
              <td>
                <Untrusted max={80} text={row.channel} />
              </td>
              <td>
                <Badge tone={sent[row.state] ?? 'plain'}>
                  <Untrusted text={row.state} />
                </Badge>{' '}
                {row.state === 'waiting' && row.tries > 0 && (
                  <span className="text-ink-3">
                    again <Time at={row.due} />
                  </span>
                )}
              </td>
              <td className="tabular">{row.tries}</td>
              <td className="break-words">{row.problem && <Untrusted className="whitespace-normal!" max={500} text={row.problem} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  )
}

function History({ rows }: { rows: AlertEvent[] }) {
  return (
    <Card flush title="History">
      <Table heads={[{ name: 'When' }, { name: 'What' }, { name: 'Who' }, { name: 'In words' }]} label="History of this alert">
        {rows.map((row, at) => (
          <tr key={at}>
            <td className="text-ink-2 whitespace-nowrap">
              <Time at={row.at} />
              {row.claimed != null && row.claimed !== row.at && (
                <span className="block text-xs text-ink-3">
                  there <Time at={row.claimed} />
                </span>
              )}
            </td>
            <td>
              <Untrusted text={row.what} />
            </td>
            <td>{row.name && <Untrusted max={80} text={row.name} />}</td>
            <td className="break-words">
              <Untrusted className="whitespace-normal!" max={1100} text={row.text} />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
