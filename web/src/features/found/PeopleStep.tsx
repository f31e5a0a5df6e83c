import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { problemOf } from '~/api/client'
import { comparePerson } from '~/api/queries'
import type { NewPerson, PersonRequest } from '~/api/schema'
import { Badge } from '~/ui/Badge'
import { Button } from '~/ui/Button'
import { Icon } from '~/ui/Icon'
import { Card } from '~/ui/Layout'
import { ErrorBox } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { CardFields, missingOf } from '../people/CardFields'

export type Founder = { known: NewPerson; request: PersonRequest }

const nobody: PersonRequest = { card: '', words: '' }

/** Who founds it together with the one who sits here. */
export function PeopleStep({ people, onPeople }: { people: readonly Founder[]; onPeople: (people: Founder[]) => void }) {
  const [person, setPerson] = useState(nobody)
  const [form, setForm] = useState(0)
  const compare = useMutation({
    mutationFn: comparePerson,
    onSuccess: (known, request) => {
      onPeople([...people.filter((one) => one.known.id !== known.id), { known, request }])
      setPerson(nobody)
      setForm(form + 1)
    },
  })
  return (
    <>
      {people.length > 0 && (
        <ul aria-label="People" className="flex flex-col gap-2">
          {people.map(({ known }) => (
            <li className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md border border-line bg-panel px-4 py-2.5" key={known.id}>
              <Icon className="text-ok" name="check" />
              <span className="font-medium">
                <Untrusted text={known.name} />
              </span>
              <code className="text-ink-3">
                <Untrusted text={known.id} />
              </code>
              <Badge tone="ok">words compared</Badge>
              <span className="flex-1 text-right text-ink-3">{known.fingerprints.length === 1 ? 'one key' : `${known.fingerprints.length} keys`}</span>
              <Button label={`Leave ${known.id} out`} icon="close" look="quiet" onClick={() => onPeople(people.filter((one) => one.known.id !== known.id))} size="sm" />
            </li>
          ))}
        </ul>
      )}
      <Card title={people.length === 0 ? 'The second person' : 'Another person'}>
        <div className="flex flex-col gap-3">
          {compare.error && <ErrorBox problem={problemOf(compare.error)} />}
          <CardFields key={form} onPerson={setPerson} person={person} />
          <div>
            <Button busy={compare.isPending} disabledReason={missingOf(person)} icon="plus" onClick={() => compare.mutate(person)}>
              Compare the words
            </Button>
          </div>
        </div>
      </Card>
    </>
  )
}
