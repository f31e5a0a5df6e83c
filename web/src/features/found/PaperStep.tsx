import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { problemOf } from '~/api/client'
import { checkPassphrase } from '~/api/queries'
import type { PaperSheet } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Field, Input } from '~/ui/Field'
import { Card } from '~/ui/Layout'
import { ErrorBox, Notice } from '~/ui/States'
import { Words } from '~/ui/Words'

import { PaperPreview, PrintedPaper } from './Paper'
import { StepFoot } from './Wizard'

type Props = { sheet: PaperSheet; number: number; count: number; onDone: () => void; onAgain: () => void }

/** One sheet: printed, its passphrase written down by hand, and two words of that typed back. */
export function PaperStep({ sheet, number, count, onDone, onAgain }: Props) {
  // Once it is said to be written down, the page has it no longer.
  const [open, setOpen] = useState<PaperSheet | undefined>(sheet)
  return open ? (
    <>
      <PrintedPaper sheet={open} />
      <PaperPreview sheet={open} />
      <Card title={`Passphrase of sheet ${number} of ${count}`}>
        <div className="flex flex-col gap-3">
          <p className="max-w-160 text-ink-2">
            It is not on the sheet. Write it down by hand and keep it somewhere else than the sheet: whoever finds one of the two has nothing. It is shown now and never again.
          </p>
          <Words label="Words of the passphrase" words={open.passphrase} />
        </div>
      </Card>
      <StepFoot>
        <Button onClick={() => window.print()} size="lg">
          Print the sheet
        </Button>
        <Button look="primary" onClick={() => setOpen(undefined)} size="lg">
          Printed and written down
        </Button>
      </StepFoot>
    </>
  ) : (
    <WrittenDown kind={sheet.kind} onAgain={onAgain} onDone={onDone} places={sheet.asked} />
  )
}

function takeFocus(box: HTMLInputElement | null): void {
  box?.focus()
}

function WrittenDown({ kind, places, onDone, onAgain }: { kind: PaperSheet['kind']; places: readonly number[]; onDone: () => void; onAgain: () => void }) {
  const [words, setWords] = useState(places.map(() => ''))
  const check = useMutation({ mutationFn: () => checkPassphrase({ kind, words }), onSuccess: onDone })
  const reason = words.some((word) => word.trim() === '') ? 'Type both words.' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!reason && !check.isPending) check.mutate()
  }
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      {check.error && <ErrorBox problem={problemOf(check.error)} />}
      <Card title="From what you wrote down">
        <div className="grid max-w-120 gap-3 sm:grid-cols-2">
          {places.map((place, at) => (
            <Field key={place} label={`Word ${place}`}>
              {(ids) => (
                <Input
                  {...ids}
                  autoCapitalize="none"
                  className="font-mono"
                  maxLength={40}
                  onChange={(event) => setWords(words.map((word, other) => (other === at ? event.target.value : word)))}
                  ref={at === 0 ? takeFocus : undefined}
                  value={words[at]}
                />
              )}
            </Field>
          ))}
        </div>
      </Card>
      <Notice icon="info">The words are gone from this page. If they are not on your paper, begin again with new sheets and destroy the printed one.</Notice>
      <StepFoot>
        <Button onClick={onAgain} size="lg">
          Begin again with new sheets
        </Button>
        <Button busy={check.isPending} disabledReason={reason} look="primary" size="lg" type="submit">
          Check
        </Button>
      </StepFoot>
    </form>
  )
}
