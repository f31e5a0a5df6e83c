import { useState } from 'react'

import type { PersonRequest } from '~/api/schema'
import { Area, Field, FileInput } from '~/ui/Field'

/** A card is a few hundred bytes. */
const CARD_CHARS_MAX = 20_000

/** Why a card and its words cannot be compared yet. */
export function missingOf(person: PersonRequest): string | undefined {
  if (person.card.trim() === '') return 'Choose the card first.'
  if (person.words.trim().split(/\s+/).length !== 8) return 'Type the eight words that the person reads to you.'
  return undefined
}

/** Another person's card, and the words that its owner reads aloud. The words are not shown: they must come from that person. */
export function CardFields({ person, onPerson }: { person: PersonRequest; onPerson: (person: PersonRequest) => void }) {
  const [problem, setProblem] = useState<string>()
  const choose = async (file: File | undefined) => {
    if (!file) return
    const card = file.size <= CARD_CHARS_MAX ? await file.text() : ''
    setProblem(card === '' ? 'This file is no card.' : undefined)
    onPerson({ ...person, card })
  }
  return (
    <div className="grid gap-3">
      <Field error={problem} hint={<>The file that their console saved, or that <code>bartizan card</code> printed.</>} label="Card">
        {(ids) => <FileInput {...ids} accept=".card,.json,application/json" onChange={(event) => void choose(event.target.files?.[0])} />}
      </Field>
      <Field hint="Call them: by telephone or face to face, not by mail. They read the words from their own screen." label="Eight words they read to you">
        {(ids) => <Area {...ids} autoCapitalize="none" className="font-mono" onChange={(event) => onPerson({ ...person, words: event.target.value })} rows={2} value={person.words} />}
      </Field>
    </div>
  )
}
