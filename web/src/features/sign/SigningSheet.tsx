import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'

import type { SignableAction } from '~/api/actions'
import { problemOf } from '~/api/client'
import { meQuery, makeSheet, signSheet } from '~/api/queries'
import type { Me, Sheet, Signed } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Dialog } from '~/ui/Dialog'
import { Check } from '~/ui/Field'
import { Icon } from '~/ui/Icon'
import { Kbd } from '~/ui/Kbd'
import { Facts } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

import { ClassBadge } from '../jobs/badges'
import { DifferenceView } from './DifferenceView'
import { Signatures } from './Signatures'
import { Stages } from './Stages'

type Props = { action: SignableAction; onClose: () => void; onSigned: (signed: Signed) => void }

/** Shows what will be signed, as the operator process rendered it from the bytes, and signs exactly that. */
export function SigningSheet({ action, onClose, onSigned }: Props) {
  const queries = useQueryClient()
  const me = useQuery(meQuery())
  // A sheet is good once: it is made when it is opened, and never again behind somebody's back.
  const sheet = useQuery({
    queryKey: ['sheet', action],
    queryFn: ({ signal }) => makeSheet(action, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const sign = useMutation({
    mutationFn: (made: Sheet) => signSheet(made),
    onSettled: () => queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'sheet' }),
  })
  const [compared, setCompared] = useState(false)
  const made = sheet.data
  const approving = made !== undefined && made.signatures.length > 0
  const reason = made && (made.disabled || (approving && !compared && 'First compare the words with whoever signed before you, and tick the box.'))
  const act = () => {
    if (made && !reason && !sign.isPending && !sign.data) sign.mutate(made)
  }
  useKeys({ 'mod+Enter': act }, 'dialog')
  return (
    <Dialog
      description={made && <WhoSigns me={me.data} role={made.role} />}
      footer={
        sign.data ? (
          <Button look="primary" onClick={() => onSigned(sign.data)} size="lg">
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose} size="lg">
              {made ? 'Do not sign' : 'Close'}
            </Button>
            {made && (
              <Button
                busy={sign.isPending}
                disabledReason={reason}
                icon="key"
                look={made.kind === 'freeze' ? 'danger' : 'primary'}
                onClick={act}
                size="lg"
              >
                {sign.isPending && made.passkey ? 'Waiting for the passkey' : verb(made)}
              </Button>
            )}
          </>
        )
      }
      kind="sheet"
      onClose={onClose}
      open
      size="lg"
      title={made ? <Untrusted text={made.question} /> : 'Preparing what is to be signed'}
    >
      <div className="flex flex-col gap-4">
        {sheet.isPending && <Loading lines={8} />}
        {sheet.error && <ErrorBox problem={problemOf(sheet.error)} retry={() => void sheet.refetch()} />}
        {sign.error && (
          <ErrorBox
            problem={problemOf(sign.error)}
            retry={() => {
              sign.reset()
              void sheet.refetch()
            }}
          />
        )}
        {sign.data && <Done signed={sign.data} />}
        {made && !sign.data && (
          <Statement sheet={made}>
            {approving && (
              <Check
                checked={compared}
                className="mt-2"
                label="I have compared the words with whoever signed before me, by telephone or face to face."
                onChange={(event) => setCompared(event.target.checked)}
              />
            )}
          </Statement>
        )}
      </div>
    </Dialog>
  )
}

function Statement({ sheet, children }: { sheet: Sheet; children: ReactNode }) {
  const tenant = sheet.tenant ? <Untrusted text={sheet.tenant} /> : undefined
  const where = sheet.endpoints == null ? tenant : <>{plural(sheet.endpoints, 'endpoint')}{tenant && <> of {tenant}</>}</>
  const rows: [ReactNode, ReactNode][] = []
  if (sheet.class) rows.push(['Class', <ClassBadge key="class" name={sheet.class} />])
  if (where) rows.push(['Where', where])
  if (sheet.until != null) rows.push(['Until', <span key="until"><Time absolute at={sheet.until} /> (<Time at={sheet.until} />)</span>])
  if (sheet.who_else) rows.push(['Who else signs', <Prose key="who" text={sheet.who_else} />])
  if (sheet.stages.length > 1) rows.push(['Stages', <Stages key="stages" stages={sheet.stages} />])
  return (
    <>
      {sheet.disabled && (
        <Notice icon="alert" tone="warn">
          <Prose text={sheet.disabled} />
        </Notice>
      )}
      {sheet.notes.map((note) => (
        <Notice icon="alert" key={note} tone="warn">
          <Prose text={note} />
        </Notice>
      ))}
      {rows.length > 0 && <Facts rows={rows} />}
      <section>
        <h3 className="mb-1.5 font-semibold">Eight words for every byte of it</h3>
        <Words words={sheet.words} />
        {children}
      </section>
      {sheet.signatures.length > 0 && (
        <section>
          <h3 className="mb-1.5 font-semibold">Signed so far</h3>
          <Signatures list={sheet.signatures} />
        </section>
      )}
      {sheet.difference && <DifferenceView difference={sheet.difference} />}
      <section>
        <h3 className="mb-1.5 flex items-center gap-2 font-semibold">
          What you sign <code className="font-normal text-ink-3">{sheet.id}</code>
        </h3>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre aria-label="The statement in words" className="max-h-120 overflow-auto rounded-md border border-line bg-sunken p-3" role="region" tabIndex={0}>
          <Untrusted multiline text={sheet.text} />
        </pre>
      </section>
    </>
  )
}

function WhoSigns({ me, role }: { me: Me | undefined; role: string }) {
  const places = { file: 'a key file', agent: 'ssh-agent', security_key: 'a security key: touch it when it blinks', passkey: 'a passkey' }
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      <Icon name="user" size={14} />
      <b className="font-medium text-ink">{me?.operator?.name ?? 'You'}</b> as <Badge>{role}</Badge>
      {me?.key && <span>with {places[me.key.place]}</span>}
      <span className="hidden sm:inline">
        <Kbd keys="Ctrl Enter" />
      </span>
    </span>
  )
}

function Done({ signed }: { signed: Signed }) {
  return (
    <div aria-live="assertive" className="flex flex-col items-center gap-3 py-10 text-center">
      <span className="grid size-12 place-items-center rounded-full bg-ok-soft text-ok">
        <Icon name="check" size={24} />
      </span>
      <p className="text-lg font-semibold">{signed.enough ? 'Signed, and enough people have' : 'Signed, and waiting for others'}</p>
      <p className="max-w-100 text-ink-2">
        <Prose text={signed.text} />
      </p>
      <code className="text-ink-3">{signed.id}</code>
      {signed.command && (
        <div className="w-full text-left">
          <p className="mb-1.5 font-medium">Run this on each new endpoint, as root:</p>
          <Command label="command for endpoints" text={signed.command} />
        </div>
      )}
    </div>
  )
}

function verb(sheet: Sheet): string {
  const verbs: Record<string, string> = { freeze: 'Freeze', thaw: 'Sign the thaw', veto: 'Veto', promotion: 'Promote', withdrawal: 'Take back', login: 'Log in' }
  if (sheet.signatures.length > 0) return 'Approve'
  return verbs[sheet.kind] ?? 'Sign'
}
