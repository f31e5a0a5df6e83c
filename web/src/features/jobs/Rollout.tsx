import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { rolloutQuery } from '~/api/queries'
import type { JobView, RolloutView, StageRow } from '~/api/schema'
import { count, plural } from '~/lib/format'
import { duration } from '~/lib/time'
import type { Tone } from '~/ui/Badge'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Field, Input } from '~/ui/Field'
import { Card } from '~/ui/Layout'
import { Meter, type Part } from '~/ui/Meter'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Table } from '~/ui/Table'
import { Untrusted } from '~/ui/Untrusted'

import { EndpointName } from '../endpoint/EndpointName'
import { useSigning } from '../sign/signing'
import { State } from './badges'

/** How a job goes: stages, what was counted from receipts, and what can be done next. */
export function Rollout({ job }: { job: JobView }) {
  const rollout = useQuery(rolloutQuery(job.row.id))
  if (rollout.error) return <ErrorBox problem={problemOf(rollout.error)} retry={() => void rollout.refetch()} />
  const view = rollout.data
  if (!view) return <Loading />
  return (
    <>
      {job.staged && job.row.state !== 'pending' && <NextStep view={view} />}
      <ol className="flex flex-col gap-3">
        {view.stages.map((stage) => (
          <li key={stage.stage}>
            <StageCard alone={view.stages.length === 1} jobId={view.job} stage={stage} />
          </li>
        ))}
      </ol>
    </>
  )
}

const looks: Record<RolloutView['next'], { tone: 'accent' | 'warn' | 'bad' | 'ok'; icon: 'check' | 'clock' | 'alert' | 'forward' }> = {
  nothing: { tone: 'ok', icon: 'check' },
  too_early: { tone: 'accent', icon: 'clock' },
  soaks: { tone: 'accent', icon: 'clock' },
  halted_failures: { tone: 'bad', icon: 'alert' },
  halted_refusals: { tone: 'bad', icon: 'alert' },
  ready: { tone: 'ok', icon: 'forward' },
}

function NextStep({ view }: { view: RolloutView }) {
  const sign = useSigning()
  const [asking, setAsking] = useState(false)
  const look = looks[view.next]
  const promote = (despite?: string) => sign({ kind: 'promotion', body: { job: view.job, ...(despite ? { despite_refusals: despite } : {}) } })
  return (
    <>
      <Notice icon={look.icon} tone={look.tone}>
        <div className="flex flex-wrap items-center gap-3">
          <div className="min-w-0 flex-1 basis-56">
            <p className="font-medium">
              <Prose text={view.next_text} />
            </p>
            {view.soak_left_s > 0 && <p className="text-ink-2">Soaks for {duration(view.soak_left_s)} more.</p>}
          </div>
          {view.next === 'halted_refusals' ? (
            <Button icon="forward" onClick={() => setAsking(true)}>
              Promote despite refusals
            </Button>
          ) : (
            view.next !== 'nothing' && (
              <Button disabledReason={view.promote_disabled} icon="forward" look="primary" onClick={() => promote()}>
                Promote
              </Button>
            )
          )}
        </div>
      </Notice>
      {asking && (
        <Despite
          onClose={() => setAsking(false)}
          onReason={(reason) => {
            setAsking(false)
            promote(reason)
          }}
        />
      )}
    </>
  )
}

function Despite({ onClose, onReason }: { onClose: () => void; onReason: (reason: string) => void }) {
  const [reason, setReason] = useState('')
  return (
    <Dialog
      description="The reason goes into the promotion, signed, for everybody to read."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button disabledReason={reason.trim() === '' && 'Say why first.'} look="danger" onClick={() => onReason(reason.trim())}>
            Show the promotion
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Go on although endpoints refused"
    >
      <Field label="Why">{(ids) => <Input {...ids} maxLength={300} onChange={(event) => setReason(event.target.value)} value={reason} />}</Field>
    </Dialog>
  )
}

function partsOf(stage: StageRow): Part[] {
  const parts: [string, number, Tone][] = [
    ['done', stage.done, 'ok'],
    ['failed', stage.failed, 'bad'],
    ['refused', stage.refused, 'bad'],
    ['running', stage.running, 'accent'],
    ['delivered', stage.delivered, 'accent'],
    ['waiting', stage.waits, 'warn'],
    ['queued', stage.queued, 'plain'],
  ]
  return parts.map(([name, value, tone]) => ({ name, value, tone }))
}

function StageCard({ stage, alone, jobId }: { stage: StageRow; alone: boolean; jobId: string }) {
  return (
    <Card
      actions={
        <>
          <span className="tabular text-ink-2">
            {count(stage.done + stage.failed + stage.refused)} of {count(stage.count)} ended
          </span>
          {!alone && (stage.may_run ? <Badge tone="accent">may run</Badge> : <Badge>waits for a promotion</Badge>)}
        </>
      }
      title={
        alone ? (
          plural(stage.count, 'endpoint')
        ) : (
          <>
            <span className="text-ink-3">{stage.stage + 1}</span> <Untrusted text={stage.name} />
          </>
        )
      }
    >
      <Meter label={`Stage ${stage.name}`} legend parts={partsOf(stage)} total={stage.count} />
      {!alone && (
        <p className="mt-2 text-sm text-ink-3">
          {stage.stage > 0 && (
            <>
              Begins after a soak of {duration(stage.soak_s)}, with {plural(stage.promoters, 'person', 'people')} to promote it and at most {stage.failures_percent_max} % failures before it.
            </>
          )}
          {stage.stage === 0 && 'Runs as soon as enough people have signed.'}
        </p>
      )}
      {stage.reasons.length > 0 && (
        <div className="-mx-4 mt-3 -mb-3 border-t border-line">
          <Table heads={[{ name: 'Endpoint' }, { name: 'State' }, { name: 'Code' }, { name: 'What to do' }]} label={`Reasons of stage ${stage.name}`}>
            {stage.reasons.map((reason) => (
              <tr key={`${reason.endpoint} ${reason.code}`}>
                <td>
                  <EndpointName hostname={reason.hostname} id={reason.endpoint} />
                </td>
                <td>
                  <State name={reason.state} />
                </td>
                <td>
                  <code>
                    <Untrusted text={reason.code} />
                  </code>
                </td>
                <td className="min-w-48 text-ink-2">{reason.next && <Prose text={reason.next} />}</td>
              </tr>
            ))}
          </Table>
          {stage.reasons.length >= 50 && (
            <p className="px-4 py-2 text-sm">
              The first 50 are shown.{' '}
              <Link className="text-accent underline" params={{ id: jobId }} search={{ tab: 'endpoints' }} to="/jobs/$id">
                All endpoints
              </Link>
            </p>
          )}
        </div>
      )}
    </Card>
  )
}
