import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { type ReactNode, Suspense, lazy, useDeferredValue, useMemo, useState } from 'react'

import { problemOf } from '~/api/client'
import { previewQuery, treeQuery } from '~/api/queries'
import type { Compose, Preview } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { bytes, count, plural } from '~/lib/format'
import { Button } from '~/ui/Button'
import { Check, Field, Input, Select } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { Card, Facts, PageBody, PageHead } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { handedOverTargets } from '../fleet/selection'
import { ClassBadge } from '../jobs/badges'
import { Stages } from '../sign/Stages'
import { useSigning } from '../sign/signing'
import { type Draft, composeOf, emptyDraft, missing, previewOf } from './draft'
import { NextRuns, When } from './When'
import { FromLibrary, Parameters, Reviewed, useTaken } from './FromLibrary'

const Editor = lazy(() => import('./Editor').then((module) => ({ default: module.Editor })))
const route = getRouteApi('/shell/run')

/** Where a script is written, and where it says what it would need before anybody signs. */
export function RunPage() {
  const search = route.useSearch()
  const navigate = useNavigate()
  const sign = useSigning()
  const [draft, setDraft] = useState<Draft>(() => ({ ...emptyDraft, on: startingTargets(search.on), stands: search.standing === true }))
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))
  const asked = previewOf(useDeferredValue(draft))
  const preview = useQuery({ ...previewQuery(asked), enabled: asked.on.length > 0 })
  const taken = useTaken(search, draft, set)
  const reason =
    missing(draft) ?? (preview.error ? problemOf(preview.error).message : undefined) ?? preview.data?.disabled ?? undefined
  const open = () => {
    if (reason) return
    const body: Compose = composeOf(draft)
    sign({ kind: 'job', body }, (signed) => void navigate({ to: '/jobs/$id', params: { id: signed.id }, search: {} }))
  }
  useKeys({ 'mod+Enter': open })
  // Whoever came to write a standing order begins with what starts it.
  const when = (
    <Card title="When">
      <When draft={draft} set={set} />
    </Card>
  )
  return (
    <>
      <PageHead
        actions={
          <Button disabledReason={reason} icon="key" look="primary" onClick={open} size="lg">
            Read and sign <Kbd keys="Ctrl Enter" />
          </Button>
        }
        title={draft.stands ? 'Write a standing order' : 'Run a script'}
      />
      <PageBody className="xl:grid! xl:grid-cols-[minmax(0,1fr)_24rem] xl:items-start">
        <div className="flex min-w-0 flex-col gap-4">
          <Card title="Where">
            <Targets draft={draft} set={set} />
          </Card>
          {search.standing && when}
          <Card actions={<FromLibrary draft={draft} />} title="What">
            {taken.error && <ErrorBox problem={problemOf(taken.error)} />}
            <Script draft={draft} set={set} />
          </Card>
          {!search.standing && when}
          <Card title="How">
            <Limits draft={draft} set={set} />
          </Card>
        </div>
        <Card className="xl:sticky xl:top-0" title="What this would be">
          <Plan draft={draft} preview={preview} reason={reason} />
        </Card>
      </PageBody>
    </>
  )
}

function startingTargets(on: string[] | undefined): string[] {
  if (!on) return []
  return on.length === 1 && on[0] === 'selection' ? [...handedOverTargets()] : on
}

type Part = { draft: Draft; set: (change: Partial<Draft>) => void }

function Targets({ draft, set }: Part) {
  const tree = useQuery(treeQuery())
  const [typed, setTyped] = useState('')
  const groups = useMemo(
    () =>
      (tree.data?.tenants ?? []).flatMap((branch) =>
        branch.tenant === null || branch.tenant === undefined
          ? []
          : [
              { value: `tenant:${branch.tenant}`, name: `Tenant ${branch.tenant} (${count(branch.counts.total)})` },
              ...branch.sites.flatMap((site) => (site.site ? [{ value: `site:${site.site}`, name: `Site ${site.site} of ${branch.tenant} (${count(site.counts.total)})` }] : [])),
            ],
      ),
    [tree.data],
  )
  const add = (one: string) => {
    const wanted = one.trim()
    if (wanted !== '' && !draft.on.includes(wanted)) set({ on: [...draft.on, wanted] })
    setTyped('')
  }
  return (
    <div className="flex flex-col gap-3">
      {draft.on.length > 0 && (
        <ul aria-label="Targets" className="flex flex-wrap gap-1.5">
          {draft.on.slice(0, 24).map((one) => (
            <li className="inline-flex h-6 max-w-full items-center gap-1 rounded-full bg-accent-soft pr-1 pl-2.5 text-accent" key={one}>
              <span className="truncate">
                <Untrusted max={60} text={one} />
              </span>
              <Button className="h-5! rounded-full!" icon="close" label={`Without ${one}`} look="quiet" onClick={() => set({ on: draft.on.filter((other) => other !== one) })} size="sm" />
            </li>
          ))}
          {draft.on.length > 24 && <li className="py-0.5 text-ink-2">and {count(draft.on.length - 24)} more</li>}
          <li>
            <Button look="quiet" onClick={() => set({ on: [] })} size="sm">
              None
            </Button>
          </li>
        </ul>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        <Field hint="Enter adds it. All must belong to one tenant." label="Name or id of an endpoint">
          {(ids) => (
            <Input
              {...ids}
              onChange={(event) => setTyped(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return
                event.preventDefault()
                add(typed)
              }}
              placeholder="web-01 or ep_…"
              value={typed}
            />
          )}
        </Field>
        <Field label="A tenant or a site">
          {(ids) => (
            <Select {...ids} onChange={(event) => add(event.target.value)} value="">
              <option value="">Choose</option>
              {groups.map((group) => (
                <option key={group.value} value={group.value}>
                  {group.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
    </div>
  )
}

function Script({ draft, set }: Part) {
  return (
    <div className="flex flex-col gap-3">
      <div className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_9rem]">
        <Field hint="One line that the others will read. A script of the same title shows what changed." label="Title">
          {(ids) => <Input {...ids} maxLength={120} onChange={(event) => set({ title: event.target.value })} placeholder="Update the time servers" value={draft.title} />}
        </Field>
        <Field label="Interpreter">
          {(ids) => (
            <Select {...ids} onChange={(event) => set({ interpreter: event.target.value as Draft['interpreter'] })} value={draft.interpreter}>
              <option value="sh">sh</option>
              <option value="bash">bash</option>
              <option value="python3">python3</option>
            </Select>
          )}
        </Field>
      </div>
      <div>
        <p className="label mb-1 flex">
          <span className="flex-1">Script</span>
          <span className="tabular">{bytes(new TextEncoder().encode(draft.script).length)}</span>
        </p>
        <Suspense fallback={<div className="skeleton h-88" />}>
          <Editor label="Script" language={draft.interpreter} onChange={(script) => set({ script })} value={draft.script} />
        </Suspense>
      </div>
      <Parameters draft={draft} set={set} />
      <Check
        checked={draft.destructive}
        label={<>It deletes or disables something <span className="text-ink-3">(then it is <code>fleet</code>: in stages, with one more person)</span></>}
        onChange={(event) => set({ destructive: event.target.checked })}
      />
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Reason">{(ids) => <Input {...ids} maxLength={300} onChange={(event) => set({ reason: event.target.value })} value={draft.reason} />}</Field>
        <Field label="Ticket">{(ids) => <Input {...ids} maxLength={60} onChange={(event) => set({ ticket: event.target.value })} placeholder="T-1" value={draft.ticket} />}</Field>
      </div>
    </div>
  )
}

function Limits({ draft, set }: Part) {
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      <Field label="Endpoints that are away may still run it for">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ expiresS: Number(event.target.value) })} value={draft.expiresS}>
            <option value={3600}>1 hour</option>
            <option value={4 * 3600}>4 hours</option>
            <option value={86_400}>1 day</option>
            <option value={3 * 86_400}>3 days</option>
            <option value={7 * 86_400}>7 days</option>
          </Select>
        )}
      </Field>
      <Field label="Longest run">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ timeoutS: Number(event.target.value) })} value={draft.timeoutS}>
            <option value={60}>1 minute</option>
            <option value={600}>10 minutes</option>
            <option value={3600}>1 hour</option>
          </Select>
        )}
      </Field>
      <Field hint="Endpoints derive the class themselves; this can only make it stricter." label="Class">
        {(ids) => (
          <Select {...ids} onChange={(event) => set({ klass: event.target.value as Draft['klass'] })} value={draft.klass}>
            <option value="">as derived</option>
            <option value="routine">at least routine</option>
            <option value="change">at least change</option>
            <option value="fleet">fleet</option>
          </Select>
        )}
      </Field>
      <Field hint="Counts, shares and rest, as in canary:3,10%,rest. Empty: what the class demands." label="Stages">
        {(ids) => <Input {...ids} onChange={(event) => set({ stages: event.target.value })} placeholder="as the class demands" value={draft.stages} />}
      </Field>
      <Field label="Local account">{(ids) => <Input {...ids} onChange={(event) => set({ runAs: event.target.value })} placeholder="root" value={draft.runAs} />}</Field>
      <Field hint="One a line." label="Arguments">
        {(ids) => (
          <textarea
            {...ids}
            className="h-7.5 w-full resize-y rounded-md border border-line-strong bg-panel px-2 py-1 font-mono text-sm"
            onChange={(event) => set({ args: event.target.value })}
            spellCheck={false}
            value={draft.args}
          />
        )}
      </Field>
    </div>
  )
}

function Plan({ draft, preview, reason }: { draft: Draft; preview: UseQueryResult<Preview>; reason: string | undefined }) {
  if (draft.on.length === 0) {
    return (
      <div className="flex flex-col gap-3">
        <p className="text-ink-2">Choose where, and this says which class it is, who else must sign, and in which stages it would run.</p>
        <NextRuns draft={draft} />
      </div>
    )
  }
  if (preview.error) return <ErrorBox problem={problemOf(preview.error)} />
  const plan = preview.data
  if (!plan) return <Loading lines={4} />
  return (
    <div className="flex flex-col gap-3">
      <p className="text-lg">
        <span className="font-semibold">{draft.title.trim() === '' ? 'A script' : <Untrusted className="whitespace-normal!" max={120} text={draft.title} />}</span> on{' '}
        <b className="font-semibold">{plural(plan.endpoints, 'endpoint')}</b> of <Untrusted text={plan.tenant} />.
      </p>
      <Facts
        rows={[
          ['Class', <ClassBadge key="class" name={plan.class} />],
          ['Who signs', <Prose key="who" text={plan.who_else} />],
          ...(plan.stages.length > 1 ? [['Stages', <Stages key="stages" stages={plan.stages} />] as [string, ReactNode]] : []),
        ]}
      />
      <NextRuns draft={draft} />
      {draft.from && draft.from.text === draft.script && !preview.isPlaceholderData && <Reviewed preview={plan} />}
      {draft.stages !== '' && <p className="text-sm text-ink-3">The stages you typed are checked when the sheet is made.</p>}
      {reason ? <Notice>{reason}</Notice> : <Notice tone="ok" icon="check">Ready. The sheet comes next; nothing is signed before you have read it.</Notice>}
    </div>
  )
}
