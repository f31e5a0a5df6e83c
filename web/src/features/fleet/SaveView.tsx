import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { problemOf } from '~/api/client'
import { forgetView, keepView, viewsQuery } from '~/api/queries'
import type { FleetColumn, SavedViews } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Field, Input } from '~/ui/Field'
import { ErrorBox } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'

import { columnNames } from './columns'
import { type FleetSearch, viewOf } from './search'

type Props = { search: FleetSearch; columns: readonly FleetColumn[]; onClose: () => void; onView: (name: string | undefined) => void }

/** Keeps what the list shows under a name. */
export function SaveView({ search, columns, onClose, onView }: Props) {
  const queries = useQueryClient()
  const views = useQuery(viewsQuery())
  const [name, setName] = useState(search.view ?? '')
  const kept = (saved: SavedViews) => queries.setQueryData(viewsQuery().queryKey, saved)
  const keep = useMutation({
    mutationFn: () => keepView(viewOf(name.trim(), search, columns)),
    onSuccess: (saved) => {
      kept(saved)
      onView(name.trim())
      onClose()
    },
  })
  const forget = useMutation({
    mutationFn: (gone: string) => forgetView(gone),
    onSuccess: (saved, gone) => {
      kept(saved)
      if (gone === search.view) onView(undefined)
    },
  })
  const known = views.data?.views ?? []
  const replaces = known.some((view) => view.name === name.trim())
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() !== '') keep.mutate()
  }
  const error = keep.error ?? forget.error
  return (
    <Dialog
      description="Kept by your own bartizan on this computer. The server does not know it and cannot change it."
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button busy={keep.isPending} disabledReason={name.trim() === '' && 'Give it a name.'} form="save-view" look="primary" type="submit" onClick={save}>
            {replaces ? 'Replace the view' : 'Save the view'}
          </Button>
        </>
      }
      onClose={onClose}
      open
      size="sm"
      title="Save this view"
    >
      <form className="flex flex-col gap-4" id="save-view" onSubmit={save}>
        {error && <ErrorBox problem={problemOf(error)} />}
        <Field error={views.error && problemOf(views.error).message} hint={replaces ? 'There is one of this name: it is replaced.' : undefined} label="Name">
          {(ids) => <Input {...ids} maxLength={60} onChange={(event) => setName(event.target.value)} placeholder="Away for a week" value={name} />}
        </Field>
        <p className="text-ink-2">
          <Summary search={search} /> Columns: {columns.map((column) => columnNames[column]).join(', ')}.
        </p>
        {known.length > 0 && (
          <section>
            <h3 className="label mb-1">Views</h3>
            <ul aria-label="Views" className="flex flex-col">
              {known.map((view) => (
                <li className="flex items-center gap-2 border-b border-line/60 py-1 last:border-b-0" key={view.name}>
                  <span className="min-w-0 flex-1 truncate">
                    <Untrusted text={view.name} />
                  </span>
                  <Button busy={forget.isPending && forget.variables === view.name} icon="close" label={`Forget ${view.name}`} look="quiet" onClick={() => forget.mutate(view.name)} size="sm" />
                </li>
              ))}
            </ul>
          </section>
        )}
      </form>
    </Dialog>
  )
}

/** Which endpoints, in words. */
function Summary({ search }: { search: FleetSearch }) {
  const states = { connected: 'connected', away: 'away', quarantined: 'in quarantine' }
  const parts = [
    search.state ? states[search.state] : undefined,
    search.tenant ? (search.tenant === 'none' ? 'of no tenant yet' : `of ${search.tenant}`) : undefined,
    search.site ? `at ${search.site}` : undefined,
    search.q ? `with “${search.q}”` : undefined,
  ].filter(Boolean)
  return <Untrusted className="whitespace-normal!" text={parts.length === 0 ? 'All endpoints.' : `Endpoints ${parts.join(', ')}.`} />
}
