import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { registerPasskey } from '~/api/queries'
import type { Founding, FoundingKey } from '~/api/schema'
import { isSlug } from '~/lib/slug'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Check, Field, Input } from '~/ui/Field'
import { Icon } from '~/ui/Icon'
import { Card } from '~/ui/Layout'
import { ErrorBox, Notice } from '~/ui/States'

export type Who = { id: string; name: string }

/** Why nobody can go on with this name and these keys. */
export function missingOf(who: Who, founding: Founding): string | undefined {
  if (who.id === '' || who.name.trim() === '') return 'Say who you are first.'
  if (!isSlug(who.id)) return 'Correct the short name.'
  if (founding.keys.length === 0) return 'Make a passkey first.'
  return undefined
}

/** Who one is, and the keys one signs with: one of them, and one for the day on which it is lost. */
export function OwnKeys({ who, onWho, founding }: { who: Who; onWho: (who: Who) => void; founding: Founding }) {
  const queries = useQueryClient()
  const [synced, setSynced] = useState(false)
  const make = useMutation({
    mutationFn: () => registerPasskey({ id: who.id, name: who.name.trim() }, synced),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['founding'] }),
  })
  const { keys } = founding
  const wrong = who.id !== '' && !isSlug(who.id) && 'Small letters, digits and hyphens.'
  const possible = typeof window.PublicKeyCredential === 'function'
  const unnamed = who.id === '' || wrong || who.name.trim() === ''
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field error={wrong} hint="How the organisation calls you." label="Short name">
          {(ids) => <Input {...ids} maxLength={40} onChange={(event) => onWho({ ...who, id: event.target.value.trim() })} placeholder="alice" value={who.id} />}
        </Field>
        <Field label="Name">{(ids) => <Input {...ids} autoComplete="name" maxLength={80} onChange={(event) => onWho({ ...who, name: event.target.value })} placeholder="Alice Example" value={who.name} />}</Field>
      </div>
      <Card title="Your keys">
        {make.error && <ErrorBox problem={problemOf(make.error)} />}
        <ul aria-label="Your keys" className="flex flex-col gap-2">
          {keys.map((key, at) => (
            <KeyLine at={at} key={key.fingerprint} one={key} />
          ))}
          {keys.length === 0 && <li className="text-ink-2">None yet. A passkey lives in a security key or in this computer, and asks for your PIN or fingerprint for each signature.</li>}
        </ul>
        {keys.length < 2 && (
          <div className="mt-3 flex flex-col items-start gap-2.5 border-t border-line pt-3">
            {keys.length === 1 && <p className="text-ink-2">Make a second one on another device now: who has one key only is gone with it.</p>}
            <Check checked={synced} label="It may be copied to my other devices (whoever gets into that account then has it, too)" onChange={(event) => setSynced(event.target.checked)} />
            <Button
              busy={make.isPending}
              disabledReason={(!possible && 'This browser has no passkeys.') || (unnamed && 'Say who you are first.')}
              icon="key"
              look={keys.length === 0 ? 'primary' : 'plain'}
              onClick={() => make.mutate()}
            >
              {make.isPending ? 'Waiting for the browser' : keys.length === 0 ? 'Make a passkey' : 'Make the second key'}
            </Button>
          </div>
        )}
      </Card>
      {keys[0]?.place === 'file' && (
        <Notice icon="alert" tone="warn">
          The first key is a file of this computer: whoever copies it is you. It signs because it is there; move it out of the console’s home to sign with passkeys.
        </Notice>
      )}
    </>
  )
}

const places = { file: 'Key file', agent: 'Key in ssh-agent', security_key: 'Security key', passkey: 'Passkey' }

function KeyLine({ one, at }: { one: FoundingKey; at: number }) {
  return (
    <li className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <Icon className="shrink-0 text-ink-3" name="key" />
      <span className="font-medium">{places[one.place]}</span>
      <Badge tone={at === 0 ? 'accent' : 'plain'}>{at === 0 ? 'signs' : 'spare'}</Badge>
      {one.synced && <Badge tone="warn">may be on other devices</Badge>}
      <code className="min-w-0 truncate text-ink-2">{one.fingerprint}</code>
    </li>
  )
}
