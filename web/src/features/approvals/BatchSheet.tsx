import { type UseQueryResult, useQueries, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { makeSheet, signSheet } from '~/api/queries'
import type { InboxItem, Sheet } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { cx } from '~/ui/cx'
import { Dialog } from '~/ui/Dialog'
import { Check } from '~/ui/Field'
import { Icon } from '~/ui/Icon'
import { Kbd } from '~/ui/Kbd'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { ClassBadge } from '../jobs/badges'
import { DifferenceView } from '../sign/DifferenceView'
import { SignedByLine } from '../sign/Signatures'
import { type Step, signInTurn, toSign } from './batch'

const waits: Step = { state: 'waits' }

/** Several statements of one kind, each with its own words and its own signature. */
export function BatchSheet({ items, onClose }: { items: readonly InboxItem[]; onClose: () => void }) {
  const queries = useQueryClient()
  const sheets = useQueries({
    queries: items.map((item) => ({
      queryKey: ['sheet', 'batch', item.id],
      queryFn: ({ signal }: { signal: AbortSignal }) => makeSheet({ kind: 'approval', body: { id: item.id } }, signal),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 0,
      retry: false,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    })),
  })
  const [compared, setCompared] = useState<ReadonlySet<string>>(new Set())
  const [steps, setSteps] = useState<ReadonlyMap<string, Step>>(new Map())
  const [busy, setBusy] = useState(false)
  const sheetOf = (id: string) => sheets[items.findIndex((item) => item.id === id)]?.data
  const stepOf = (id: string) => steps.get(id) ?? waits
  const signed = items.filter((item) => stepOf(item.id).state === 'signed').length
  const refused = items.find((item) => stepOf(item.id).state === 'refused')
  const next = toSign(items.map((item) => item.id), steps, compared)
  const reason =
    (refused && 'One was refused: look at it again, or leave it out.') ?? (next.length === 0 ? 'First compare the words of each with whoever signed before you, and tick its box.' : undefined)
  const act = async () => {
    if (reason || busy || next.length === 0) return
    setBusy(true)
    await signInTurn(next, sheetOf, signSheet, (id, step) => setSteps((before) => new Map(before).set(id, step)), problemOf)
    setBusy(false)
    void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'sheet' })
  }
  const tick = (id: string, on: boolean) => {
    setCompared((before) => {
      const after = new Set(before)
      if (on) after.add(id)
      else after.delete(id)
      return after
    })
    if (!on && stepOf(id).state === 'refused') setSteps((before) => new Map(before).set(id, waits))
  }
  /** A sheet is good once: after a refusal another one is made, and compared anew. */
  const again = (at: number, id: string) => {
    setSteps((before) => new Map(before).set(id, waits))
    tick(id, false)
    void sheets[at]?.refetch()
  }
  useKeys({ 'mod+Enter': () => void act() }, 'dialog')
  const done = signed === items.length
  return (
    <Dialog
      description="Each has its own words and gets its own signature. It stops at the first that is refused; what was signed stays signed."
      footer={
        <>
          <Button disabledReason={busy && 'It is signing: wait for the passkey or the key.'} look={done ? 'primary' : 'plain'} onClick={onClose} size="lg">
            {done ? 'Done' : 'Close'}
          </Button>
          {!done && (
            <Button busy={busy} disabledReason={reason} icon="key" look="primary" onClick={() => void act()} size="lg">
              {busy ? `Signing ${signed + 1} of ${items.length}` : `Approve ${next.length === 0 ? '' : `${next.length} `}one by one`} <Kbd keys="Ctrl Enter" />
            </Button>
          )}
        </>
      }
      kind="sheet"
      onClose={busy ? () => undefined : onClose}
      open
      size="lg"
      title={`Approve ${plural(items.length, 'statement')}`}
    >
      <div className="flex flex-col gap-4">
        <Strip items={items} stepOf={stepOf} ticked={compared} />
        <p aria-live="polite" className="text-ink-2">
          {signed} of {items.length} signed{refused ? `; stopped at “${refused.title}”` : ''}.
        </p>
        {items.map((item, at) => (
          <One
            at={at}
            item={item}
            key={item.id}
            onAgain={() => again(at, item.id)}
            onTick={(on) => tick(item.id, on)}
            sheet={sheets[at]}
            step={stepOf(item.id)}
            ticked={compared.has(item.id)}
          />
        ))}
      </div>
    </Dialog>
  )
}

const looks: Record<Step['state'], string> = { waits: 'bg-line-strong', signing: 'bg-accent animate-pulse', signed: 'bg-ok', refused: 'bg-bad' }
const words: Record<Step['state'], string> = { waits: 'not signed', signing: 'being signed', signed: 'signed', refused: 'refused' }

function Strip({ items, stepOf, ticked }: { items: readonly InboxItem[]; stepOf: (id: string) => Step; ticked: ReadonlySet<string> }) {
  return (
    <ol aria-label="Progress" className="flex gap-1">
      {items.map((item, at) => {
        const { state } = stepOf(item.id)
        return (
          <li className={cx('h-2 min-w-2 flex-1 rounded-full', state === 'waits' && ticked.has(item.id) ? 'bg-accent/60' : looks[state])} key={item.id} title={`${at + 1}: ${words[state]}`}>
            <span className="sr-only">
              {at + 1}: {state === 'waits' && ticked.has(item.id) ? 'compared' : words[state]}
            </span>
          </li>
        )
      })}
    </ol>
  )
}

type OneProps = { at: number; item: InboxItem; sheet: UseQueryResult<Sheet> | undefined; step: Step; ticked: boolean; onTick: (on: boolean) => void; onAgain: () => void }

function One({ at, item, sheet, step, ticked, onTick, onAgain }: OneProps) {
  const made = sheet?.data
  return (
    <section aria-label={`Statement ${at + 1}`} className="flex flex-col gap-3 rounded-lg border border-line p-4">
      <h3 className="flex flex-wrap items-center gap-2 text-lg font-semibold">
        <span className="min-w-0 flex-1 basis-40 break-words">
          <Prose text={item.title} />
        </span>
        {step.state === 'signed' && (
          <Badge tone="ok">
            <Icon name="check" size={12} /> signed
          </Badge>
        )}
        {item.class ? <ClassBadge name={item.class} /> : <Badge>{item.kind}</Badge>}
      </h3>
      <p className="text-ink-2">
        <SignedByLine list={item.signatures} />
        {item.endpoints != null && <> · {plural(item.endpoints, 'endpoint')}</>}
        {item.tenant && (
          <>
            {' '}
            of <Untrusted text={item.tenant} />
          </>
        )}
      </p>
      {step.state === 'signed' && (
        <p className="text-ink-2">
          <Prose text={step.signed.text} />
        </p>
      )}
      {step.state === 'refused' && <ErrorBox problem={step.problem} retry={onAgain} />}
      {sheet?.error && <ErrorBox problem={problemOf(sheet.error)} retry={onAgain} />}
      {sheet?.isFetching && !made && <Loading lines={3} />}
      {made?.disabled && (
        <Notice icon="alert" tone="warn">
          <Prose text={made.disabled} />
        </Notice>
      )}
      {made && step.state !== 'signed' && (
        <>
          {made.notes.map((note) => (
            <Notice icon="alert" key={note} tone="warn">
              <Prose text={note} />
            </Notice>
          ))}
          <Words words={made.words} />
          {made.difference ? <DifferenceView difference={made.difference} /> : <p className="text-ink-2">Nothing of this title ran before: read the whole of it.</p>}
          <details>
            <summary className="cursor-pointer text-accent">The whole statement</summary>
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
            <pre aria-label={`Statement ${at + 1} in words`} className="mt-2 max-h-96 overflow-auto rounded-md border border-line bg-sunken p-3" role="region" tabIndex={0}>
              <Untrusted multiline text={made.text} />
            </pre>
          </details>
          {!made.disabled && (
            <Check checked={ticked} disabled={step.state === 'signing'} label={`I have read ${at + 1} and compared its words with whoever signed before me.`} onChange={(event) => onTick(event.target.checked)} />
          )}
        </>
      )}
    </section>
  )
}
