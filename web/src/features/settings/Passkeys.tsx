import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { problemOf } from '~/api/client'
import { passkeysQuery, registerPasskey } from '~/api/queries'
import type { Me, PasskeyCard } from '~/api/schema'
import { base64, saveFile } from '~/lib/save'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Dialog } from '~/ui/Dialog'
import { Check, Field, Input } from '~/ui/Field'
import { Icon } from '~/ui/Icon'
import { Card } from '~/ui/Layout'
import { ErrorBox, Loading, Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'
import { Words } from '~/ui/Words'

/** Passkeys of this console: which there are, and a new one. */
export function Passkeys({ me }: { me: Me }) {
  const list = useQuery(passkeysQuery())
  const [making, setMaking] = useState(false)
  const possible = typeof window.PublicKeyCredential === 'function'
  return (
    <Card
      actions={
        <Button disabledReason={!possible && 'This browser has no passkeys.'} icon="plus" onClick={() => setMaking(true)} size="sm">
          Make a passkey
        </Button>
      }
      title="Passkeys"
    >
      {list.error && <ErrorBox problem={problemOf(list.error)} retry={() => void list.refetch()} />}
      {list.isPending && <Loading lines={2} />}
      {list.data && (
        <>
          <p className="mb-2 text-ink-2">
            A passkey made here signs at <code>{list.data.origin}</code> only, with a PIN or a fingerprint each time. {list.data.in_use ? 'This console signs with them.' : 'This console signs with another key at present.'}
          </p>
          <ul className="flex flex-col gap-2">
            {list.data.passkeys.map((one) => (
              <li className="flex items-center gap-2" key={one.credential}>
                <Icon className="shrink-0 text-ink-3" name="key" />
                <code className="min-w-0 truncate">{one.fingerprint}</code>
                {one.synced ? <Badge tone="warn">may be on other devices</Badge> : <Badge tone="ok">this device only</Badge>}
              </li>
            ))}
            {list.data.passkeys.length === 0 && <li className="text-ink-3">None yet.</li>}
          </ul>
        </>
      )}
      {making && <Make me={me} onClose={() => setMaking(false)} />}
    </Card>
  )
}

function Make({ me, onClose }: { me: Me; onClose: () => void }) {
  const queries = useQueryClient()
  const known = me.operator
  const [id, setId] = useState(known ? known.id.replace(/^op_/, '') : '')
  const [name, setName] = useState(known?.name ?? '')
  const [synced, setSynced] = useState(false)
  const make = useMutation({
    mutationFn: () => registerPasskey({ id: id.trim(), name: name.trim() }, synced),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['passkeys'] }),
  })
  const reason = id.trim() === '' || name.trim() === '' ? 'Say whose it is.' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!reason && !make.isPending) make.mutate()
  }
  return (
    <Dialog
      description="It counts from the moment the bundle names it: the others add it by its card."
      footer={
        make.data ? (
          <Button look="primary" onClick={onClose} size="lg">
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose} size="lg">
              Cancel
            </Button>
            <Button busy={make.isPending} disabledReason={reason} form="passkey-form" icon="key" look="primary" size="lg" type="submit">
              {make.isPending ? 'Waiting for the browser' : 'Make it'}
            </Button>
          </>
        )
      }
      onClose={onClose}
      open
      title="Make a passkey"
    >
      {make.error && <ErrorBox problem={problemOf(make.error)} />}
      {make.data ? (
        <Made card={make.data} known={known != null} id={id.trim()} />
      ) : (
        <form className="mt-1 flex flex-col gap-3" id="passkey-form" onSubmit={submit}>
          <Field hint="As in the organisation: small letters and digits." label="Short name">
            {(ids) => <Input {...ids} maxLength={40} onChange={(event) => setId(event.target.value)} placeholder="bob" readOnly={known != null} value={id} />}
          </Field>
          <Field label="Name">{(ids) => <Input {...ids} maxLength={80} onChange={(event) => setName(event.target.value)} placeholder="Bob Example" readOnly={known != null} value={name} />}</Field>
          <Check
            checked={synced}
            label={<>It may be copied to my other devices <span className="text-ink-3">(whoever gets into that account then has it, too)</span></>}
            onChange={(event) => setSynced(event.target.checked)}
          />
        </form>
      )}
    </Dialog>
  )
}

function Made({ card, known, id }: { card: PasskeyCard; known: boolean; id: string }) {
  const file = `${id}.card.json`
  return (
    <div className="flex flex-col gap-3">
      <Notice icon="check" tone="ok">
        The passkey is made. Save its card, hand it to whoever adds it, and read them these words:
      </Notice>
      <Words words={card.words} />
      <div>
        <Button icon="down" onClick={() => saveFile({ name: file, base64: base64(card.card) })}>
          <Untrusted text={file} />
        </Button>
      </div>
      <p className="text-ink-2">They run:</p>
      <Command label="command that adds it" text={known ? `bartizan operator key add ${file}` : `bartizan operator add ${file}`} />
      <p className="text-ink-2">Once the bundle names it, start this console with it:</p>
      <Command label="command that uses it" text="bartizan console --key passkey" />
    </div>
  )
}
