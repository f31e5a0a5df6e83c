import { type FormEvent, useState } from 'react'

import type { PersonRequest } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'

import { CardFields, missingOf } from './CardFields'

/** A person joins: their card, and the words they read. The signing sheet follows. */
export function AddPersonDialog({ onClose, onSign }: { onClose: () => void; onSign: (request: PersonRequest) => void }) {
  const [person, setPerson] = useState<PersonRequest>({ card: '', words: '' })
  const reason = missingOf(person)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!reason) onSign(person)
  }
  return (
    <Dialog
      description="They open a console of their own, choose “Join”, and send you the card."
      footer={
        <>
          <Button onClick={onClose} size="lg">
            Cancel
          </Button>
          <Button disabledReason={reason} form="person-form" icon="key" look="primary" size="lg" type="submit">
            Compare and read
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Add a person"
    >
      <form className="flex flex-col gap-3" id="person-form" onSubmit={submit}>
        <CardFields onPerson={setPerson} person={person} />
      </form>
    </Dialog>
  )
}
