import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { alertRulesQuery, endWindow } from '~/api/alerts'
import { problemOf } from '~/api/client'
import type { AlertRule, AlertRules } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { useNow } from '~/lib/now'
import { Badge, type Tone } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Dialog } from '~/ui/Dialog'
import { Kbd } from '~/ui/Kbd'
import { Card, PageBody, PageHead } from '~/ui/Layout'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { MakeWindow } from './MakeWindow'
import { type Standing, placeOf, standingOf, timeOf } from './windows'

/** When nothing is told, and otherwise who is told what. */
export function RulesPage() {
  const rules = useQuery(alertRulesQuery())
  const [making, setMaking] = useState(false)
  useKeys({ n: rules.data ? () => setMaking(true) : undefined })
  return (
    <>
      <PageHead
        actions={
          <Button disabledReason={!rules.data && 'The rules are not there yet.'} icon="plus" look="primary" onClick={() => setMaking(true)}>
            Make a window <Kbd keys="n" />
          </Button>
        }
        before={
          <Link className="hover:text-ink" search={{}} to="/alerts">
            Alerts
          </Link>
        }
        title="Windows and routes"
        under="When nothing is told, and otherwise who is told what"
      />
      <PageBody>
        {rules.error && <ErrorBox problem={problemOf(rules.error)} retry={() => void rules.refetch()} />}
        {rules.isPending && <Loading />}
        {rules.data && <Shown rules={rules.data} />}
      </PageBody>
      {making && rules.data && <MakeWindow onClose={() => setMaking(false)} version={rules.data.version} />}
    </>
  )
}

function Shown({ rules }: { rules: AlertRules }) {
  return (
    <>
      <Windows rules={rules} />
      <Notice>
        <p className="mb-2">Routes, escalation and rules for links are one TOML file. Here they are shown; these two print it, and put it in force when it was changed.</p>
        <Command label="the commands" text={'bartizan alerts rules show > rules.toml\nbartizan alerts rules set rules.toml'} />
      </Notice>
      <div className="grid gap-4 xl:grid-cols-2">
        <Rules
          empty={rules.channels.length === 0 ? 'There is no channel, so nothing is sent.' : 'There is no route: every alert goes to every channel at once, and its end, too.'}
          rows={rules.routes}
          title="Routes, in their order; the first that fits is taken"
        />
        <Rules empty="A server that is away for five minutes is an error; workstations are not told." rows={rules.links} title="Links" />
        <Card flush title="Channels">
          {rules.channels.length === 0 ? (
            <Empty icon="bell" title="No channel yet">
              E-mail, webhooks and syslog are named in <code>server.toml</code> on the server, one section each. Then <code>bartizan alerts test NAME</code> tries one.
            </Empty>
          ) : (
            <ul className="divide-y divide-line/60">
              {rules.channels.map((channel) => (
                <li className="flex gap-3 px-4 py-1.5" key={channel.name}>
                  <Untrusted className="font-medium" max={80} text={channel.name} />
                  <Untrusted className="text-ink-2" text={channel.kind} />
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card flush title="Who changed the rules">
          {rules.history.length === 0 ? (
            <p className="px-4 py-3 text-ink-2">Nobody yet: the defaults are in force.</p>
          ) : (
            <ul className="max-h-60 divide-y divide-line/60 overflow-y-auto">
              {rules.history.slice(0, 20).map((version) => (
                <li className="flex gap-3 px-4 py-1.5" key={version.version}>
                  <span className="tabular text-ink-3">{version.version}</span>
                  <Untrusted className="flex-1" max={80} text={version.name} />
                  <span className="text-ink-2">
                    <Time at={version.at} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </>
  )
}

function Rules({ title, rows, empty }: { title: string; rows: AlertRule[]; empty: string }) {
  return (
    <Card flush title={title}>
      {rows.length === 0 && <p className="px-4 py-3 text-ink-2">{empty}</p>}
      <ol className="divide-y divide-line/60">
        {rows.map((rule, at) => (
          <li className="px-4 py-2 break-words" key={at}>
            <span className="tabular text-ink-3">{at + 1}</span> {rule.name && <Untrusted className="font-medium whitespace-normal!" max={120} text={rule.name} />}{' '}
            <span className="text-ink-2">
              <Untrusted className="whitespace-normal!" max={500} text={rule.applies} />
            </span>
            {rule.says.map((says) => (
              <span className="block pl-4" key={says}>
                <Untrusted className="whitespace-normal!" max={500} text={says} />
              </span>
            ))}
          </li>
        ))}
      </ol>
    </Card>
  )
}

const standings: Record<Standing, { tone: Tone; says: string }> = {
  now: { tone: 'frost', says: 'open now' },
  later: { tone: 'accent', says: 'comes' },
  over: { tone: 'plain', says: 'over' },
  again: { tone: 'accent', says: 'again and again' },
}

function Windows({ rules }: { rules: AlertRules }) {
  const now = useNow()
  const [ending, setEnding] = useState<string>()
  return (
    <Card flush title="Maintenance windows">
      {rules.windows.length === 0 ? (
        <Empty icon="clock" title="No maintenance window">
          While one is open nothing is sent about its endpoints. What is still wrong at its end is sent then. Press <Kbd keys="n" /> to make one.
        </Empty>
      ) : (
        <Table heads={[{ name: 'Name' }, { name: 'State' }, { name: 'When' }, { name: 'For' }, { name: '' }]} label="Maintenance windows">
          {rules.windows.map((window) => {
            const standing = standings[standingOf(window, now)]
            return (
              <tr key={window.name}>
                <td className="font-medium break-words">
                  <Untrusted className="whitespace-normal!" max={120} text={window.name} />
                </td>
                <td>
                  <Badge tone={standing.tone}>{standing.says}</Badge>
                </td>
                <td>
                  <Untrusted className="whitespace-normal!" text={timeOf(window)} />
                </td>
                <td className="break-all">
                  <Untrusted className="whitespace-normal!" max={200} text={placeOf(window)} />
                </td>
                <td className="text-right">
                  <Button onClick={() => setEnding(window.name)} size="sm">
                    {standing.says === 'over' ? 'Remove' : 'End'}
                  </Button>
                </td>
              </tr>
            )
          })}
        </Table>
      )}
      {ending !== undefined && <EndWindow name={ending} onClose={() => setEnding(undefined)} version={rules.version} />}
    </Card>
  )
}

function EndWindow({ name, version, onClose }: { name: string; version: number; onClose: () => void }) {
  const queries = useQueryClient()
  const ending = useMutation({
    mutationFn: () => endWindow(version, name),
    onSuccess: (rules) => {
      queries.setQueryData(alertRulesQuery().queryKey, rules)
      onClose()
    },
  })
  return (
    <Dialog
      description="It is taken out of the rules. What is wrong there is told from now on."
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button busy={ending.isPending} look="primary" onClick={() => ending.mutate()}>
            End the window
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="End this window?"
    >
      {ending.error && <ErrorBox problem={problemOf(ending.error)} />}
      <p className="font-medium break-words">
        <Untrusted className="whitespace-normal!" max={200} text={name} />
      </p>
    </Dialog>
  )
}
