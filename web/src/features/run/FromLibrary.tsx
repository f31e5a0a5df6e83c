import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useEffectEvent } from 'react'

import { scriptVersionQuery, scriptsQuery } from '~/api/queries'
import type { Preview } from '~/api/schema'
import { Field, Input, Select } from '~/ui/Field'
import { Notice } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { ReviewLine } from '../scripts/ReviewBadge'
import { type Draft, draftOf } from './draft'
import type { RunSearch } from './search'

type Part = { draft: Draft; set: (change: Partial<Draft>) => void }

/** Puts the script that the address names into the form, once. */
export function useTaken(search: RunSearch, draft: Draft, set: (change: Partial<Draft>) => void) {
  const library = useQuery(scriptsQuery())
  const script = library.data?.scripts.find((one) => one.about.name === search.script)
  const version = script?.versions.find((one) => one.sha256 === search.version) ?? script?.versions[0]
  const text = useQuery({ ...scriptVersionQuery(script?.about.name ?? '', version?.sha256 ?? '', undefined), enabled: script !== undefined })
  const found = text.data?.text
  const ready = script && version && found !== undefined ? `${script.about.name} ${version.sha256}` : undefined
  const take = useEffectEvent(() => {
    if (script && version && found !== undefined && ready !== (draft.from && `${draft.from.name} ${draft.from.sha256}`)) set(draftOf(script, version, found))
  })
  useEffect(() => {
    if (ready) take()
  }, [ready])
  return { error: text.error }
}

/** Takes what is to run from the scripts that are kept. */
export function FromLibrary({ draft }: { draft: Draft }) {
  const navigate = useNavigate({ from: '/run' })
  const library = useQuery(scriptsQuery())
  const scripts = library.data?.scripts ?? []
  return (
    <Select
      aria-label="Script of the library"
      className="w-auto! max-w-60"
      disabled={scripts.length === 0}
      onChange={(event) => void navigate({ search: (before) => ({ ...before, script: event.target.value || undefined, version: undefined }), replace: true })}
      value={draft.from?.name ?? ''}
    >
      <option value="">{scripts.length === 0 ? 'No script is kept yet' : 'From the library'}</option>
      {scripts.map((one) => (
        <option key={one.about.name} value={one.about.name}>
          {one.about.title}
        </option>
      ))}
    </Select>
  )
}

/** The variables that the script asks for. */
export function Parameters({ draft, set }: Part) {
  if (draft.env.length === 0) return null
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {draft.env.map((one, at) => (
        <Field hint={<Untrusted className="whitespace-normal!" text={one.about ?? ''} />} key={one.name} label={<code>{one.name}</code>}>
          {(ids) => <Input {...ids} onChange={(event) => set({ env: draft.env.map((other, place) => (place === at ? { ...other, value: event.target.value } : other)) })} value={one.value} />}
        </Field>
      ))}
    </div>
  )
}

/** What people have signed before of exactly this script, and what that is worth here. */
export function Reviewed({ preview }: { preview: Preview }) {
  if (!preview.review) {
    return <Notice>New in this form: no job in the log has exactly this script, with these arguments and values, and the signatures of two people.</Notice>
  }
  return (
    <Notice icon="check" tone="ok">
      Reviewed in exactly this form by
      <span className="block">
        <ReviewLine review={preview.review} />
      </span>
      {preview.ran_everywhere ? 'Each of these endpoints has run it since, so the class is milder.' : 'The class is milder where every endpoint has run it since; here not all have, or it makes no difference.'}
    </Notice>
  )
}
