import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { treeQuery, trustQuery } from '~/api/queries'
import type { FreezeRequest } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Field, Input, Select } from '~/ui/Field'
import { Notice } from '~/ui/States'

type Props = { scope?: string; onClose: () => void; onSign: (request: FreezeRequest) => void }

const lengths: [number, string][] = [
  [3_600, '1 hour'],
  [2 * 3_600, '2 hours'],
  [4 * 3_600, '4 hours: the most one person can do alone'],
  [24 * 3_600, '1 day: waits until enough others sign'],
  [7 * 24 * 3_600, '7 days: waits until enough others sign'],
]

/** Which part is to stand still, for how long and why. The signing sheet comes after it. */
export function FreezeDialog({ scope: given = 'org', onClose, onSign }: Props) {
  const tree = useQuery(treeQuery())
  const trust = useQuery(trustQuery())
  const [scope, setScope] = useState(given)
  const [seconds, setSeconds] = useState(4 * 3_600)
  const [reason, setReason] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSign({ scope, seconds, reason })
  }
  const tenants = (tree.data?.tenants ?? []).flatMap((branch) => branch.tenant ?? [])
  const options: [string, string][] = [
    ['org', 'Everything of the organisation'],
    ...tenants.map((tenant): [string, string] => [`tenant:${tenant}`, `Tenant ${tenant}`]),
    ...(trust.data?.classes ?? []).map((row): [string, string] => [`class:${row.class}`, `Work of class ${row.class}`]),
    ...(trust.data?.operators ?? []).map((person): [string, string] => [
      `operator:${person.id.replace(/^op_/, '')}`,
      `Whatever ${person.name} wrote or approved`,
    ]),
    ['sessions', 'Remote sessions'],
  ]
  if (!options.some(([value]) => value === given)) options.push([given, given.replace(':', ' ')])
  return (
    <Dialog
      description="One person is enough. Nobody is asked twice."
      footer={
        <>
          <Button onClick={onClose} size="lg">
            Cancel
          </Button>
          <Button form="freeze-form" icon="snow" look="danger" size="lg" type="submit">
            Show the freeze
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Freeze"
    >
      <form className="flex flex-col gap-3" id="freeze-form" onSubmit={submit}>
        <Field label="What is to stand still">
          {(ids) => (
            <Select {...ids} onChange={(event) => setScope(event.target.value)} value={scope}>
              {options.map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="For how long">
          {(ids) => (
            <Select {...ids} onChange={(event) => setSeconds(Number(event.target.value))} value={seconds}>
              {lengths.map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field hint="The others read it in the log." label="Why">
          {(ids) => <Input {...ids} maxLength={200} onChange={(event) => setReason(event.target.value)} placeholder="strange jobs" value={reason} />}
        </Field>
        <Notice icon="snow" tone="frost">
          Endpoints end what runs and is covered, start nothing that is, and confirm with receipts. Going on takes two people.
        </Notice>
      </form>
    </Dialog>
  )
}
