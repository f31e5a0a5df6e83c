import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { alertRulesQuery, doWithAlerts, tellMe } from '~/api/alerts'
import { problemOf } from '~/api/client'
import type { AlertDeedKind, AlertItem, ManyDone } from '~/api/schema'
import { plural } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Area, Field, Select } from '~/ui/Field'
import { Empty, ErrorBox, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { CheckName, Where } from './words'
import { awayEndpoints } from './selection'

export type DeedKind = AlertDeedKind | 'tell_me'

const noteBytesMax = 1_024

const says: Record<AlertDeedKind, { title: string; button: string; about: string }> = {
  acknowledge: { title: 'Acknowledge', button: 'Acknowledge', about: 'You look after it. Nothing more is sent unless it gets worse.' },
  resolve: { title: 'Resolve', button: 'Resolve', about: 'It is over. It opens again if the endpoint says so again.' },
  note: { title: 'Write a note', button: 'Keep the note', about: 'A line in the history, for the others.' },
}

/** Some alerts and one deed. What it did not work with stays on the screen, and why. */
export function Deed({ kind, alerts, onClose, onDone }: { kind: DeedKind; alerts: readonly AlertItem[]; onClose: () => void; onDone: () => void }) {
  return kind === 'tell_me' ? <TellMe alerts={alerts} onClose={onClose} onDone={onDone} /> : <Act alerts={alerts} deed={kind} onClose={onClose} onDone={onDone} />
}

function useDeed(act: () => Promise<ManyDone>, onDone: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: (all) => all.left.length === 0 && onDone(),
    onSettled: () => {
      for (const key of ['alerts', 'overview']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
}

function Act({ deed, alerts, onClose, onDone }: { deed: AlertDeedKind; alerts: readonly AlertItem[]; onClose: () => void; onDone: () => void }) {
  const [note, setNote] = useState('')
  const acting = useDeed(() => doWithAlerts(alerts.map((alert) => alert.id), deed, note.trim()), onDone)
  const words = says[deed]
  const tooLong = new TextEncoder().encode(note).length > noteBytesMax
  const blocked = tooLong ? 'The note is too long.' : deed === 'note' && note.trim() === '' && 'Write the note first.'
  return (
    <Dialog
      description={words.about}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            {acting.data ? 'Close' : 'Cancel'}
          </Button>
          {!acting.data && (
            <Button busy={acting.isPending} disabledReason={blocked} look="primary" onClick={() => acting.mutate()}>
              {words.button}
            </Button>
          )}
        </>
      }
      onClose={acting.data ? onDone : onClose}
      open
      size="sm"
      title={`${words.title}: ${plural(alerts.length, 'alert')}`}
    >
      <div className="flex flex-col gap-3">
        {acting.error && <ErrorBox problem={problemOf(acting.error)} />}
        {acting.data ? (
          <Left alerts={alerts} result={acting.data} />
        ) : (
          <>
            <Which alerts={alerts} />
            <Field error={tooLong && `At most ${noteBytesMax} bytes.`} hint={deed === 'note' ? undefined : 'May be left out.'} label="Note">
              {(ids) => <Area {...ids} onChange={(event) => setNote(event.target.value)} rows={3} value={note} />}
            </Field>
          </>
        )}
      </div>
    </Dialog>
  )
}

/** Of many the first few; the list behind shows the others. */
function Which({ alerts }: { alerts: readonly AlertItem[] }) {
  const shown = alerts.slice(0, 5)
  return (
    <ul className="flex flex-col gap-0.5">
      {shown.map((alert) => (
        <li className="flex min-w-0 gap-2 truncate" key={alert.id}>
          <Where alert={alert} />
          <span className="truncate text-ink-2">
            <CheckName alert={alert} />
          </span>
        </li>
      ))}
      {alerts.length > shown.length && <li className="text-ink-3">and {plural(alerts.length - shown.length, 'other')}</li>}
    </ul>
  )
}

function Left({ result, alerts }: { result: ManyDone; alerts: readonly AlertItem[] }) {
  const nameOf = (id: string) => {
    const found = alerts.find((alert) => alert.id === id || alert.endpoint === id)
    return found ? (found.hostname ?? found.check) : id
  }
  return (
    <div aria-live="polite" className="flex flex-col gap-2">
      <p>Done with {result.done}. With {result.left.length} it was not:</p>
      <ul className="flex flex-col gap-1">
        {result.left.slice(0, 50).map((one) => (
          <li key={one.id}>
            <Untrusted max={80} text={nameOf(one.id)} />: <Untrusted className="whitespace-normal!" text={one.message} /> <code className="text-xs text-ink-3">{one.code}</code>
          </li>
        ))}
      </ul>
    </div>
  )
}

function TellMe({ alerts, onClose, onDone }: { alerts: readonly AlertItem[]; onClose: () => void; onDone: () => void }) {
  const endpoints = awayEndpoints(alerts)
  const rules = useQuery(alertRulesQuery())
  const [chosen, setChosen] = useState<string>()
  const channels = rules.data?.channels ?? []
  const channel = chosen ?? channels[0]?.name ?? ''
  const acting = useDeed(() => tellMe(endpoints, channel), onDone)
  const none = rules.data && channels.length === 0
  return (
    <Dialog
      description={`One message for each of ${plural(endpoints.length, 'endpoint')}, when it is connected again.`}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            {acting.data ? 'Close' : 'Cancel'}
          </Button>
          {!acting.data && (
            <Button busy={acting.isPending} disabledReason={channel === '' && 'There is no channel to tell it over.'} look="primary" onClick={() => acting.mutate()}>
              Tell me
            </Button>
          )}
        </>
      }
      onClose={acting.data ? onDone : onClose}
      open
      size="sm"
      title="Tell me when it is back"
    >
      <div className="flex flex-col gap-3">
        {[acting.error, rules.error].map((error) => error && <ErrorBox key={error.message} problem={problemOf(error)} />)}
        {acting.data && <Left alerts={alerts} result={acting.data} />}
        {none && (
          <Empty icon="bell" title="No channel yet">
            E-mail, webhooks and syslog are named in <code>server.toml</code> on the server, one section each. The guide shows them under “Alerts”.
          </Empty>
        )}
        {!none && !acting.data && (
          <Field label="Channel">
            {(ids) => (
              <Select {...ids} onChange={(event) => setChosen(event.target.value)} value={channel}>
                {channels.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name} ({one.kind})
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {endpoints.length < alerts.length && <Notice>Only endpoints that are away are waited for; the other alerts are about something else.</Notice>}
      </div>
    </Dialog>
  )
}
