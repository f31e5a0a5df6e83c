import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'

import { problemOf } from '~/api/client'
import { scriptsQuery } from '~/api/queries'
import type { LibraryScript } from '~/api/schema'
import { plural } from '~/lib/format'
import { useKeys } from '~/lib/keys'
import { matches } from '~/lib/match'
import { Button } from '~/ui/Button'
import { cx } from '~/ui/cx'
import { Input } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { PageHead } from '~/ui/Layout'
import { Empty, ErrorBox, Loading, Notice } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import { Exchange } from './Exchange'
import { ReviewBadge } from './ReviewBadge'
import { EditScript } from './EditScript'
import { ScriptDetail } from './ScriptDetail'

const route = getRouteApi('/shell/scripts')

/** The scripts that are kept on this computer, and what people have reviewed of them by what the jobs log shows. */
export function ScriptsPage() {
  const search = route.useSearch()
  const navigate = useNavigate({ from: '/scripts' })
  const library = useQuery(scriptsQuery())
  const [typed, setTyped] = useState('')
  const [exchange, setExchange] = useState(false)
  const all = library.data?.scripts ?? []
  const found = all.filter((one) => matches(`${one.about.name} ${one.about.title} ${one.about.description}`, typed))
  const editing = search.edit === true
  const chosen = editing && !search.name ? undefined : (all.find((one) => one.about.name === search.name) ?? (search.name ? undefined : found[0]))
  const show = (one: LibraryScript | undefined) => one && void navigate({ search: { name: one.about.name } })
  const step = (by: number) => show(found[Math.max(0, Math.min(found.length - 1, found.findIndex((one) => one === chosen) + by))])
  const create = () => void navigate({ search: { edit: true } })
  const run = () => chosen && void navigate({ to: '/run', search: { script: chosen.about.name } })
  useKeys({
    n: create,
    ...(editing ? {} : { j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), r: run, e: () => chosen && void navigate({ search: { name: chosen.about.name, edit: true } }) }),
  })
  return (
    <>
      <PageHead
        actions={
          <>
            <Button icon="repeat" onClick={() => setExchange(true)}>
              Import, export
            </Button>
            <Button icon="plus" look="primary" onClick={create}>
              New script <Kbd keys="n" />
            </Button>
          </>
        }
        title="Scripts"
        under="Kept on this computer, by your own bartizan. What counts as reviewed is what the jobs log shows"
      />
      {library.error && (
        <div className="p-4">
          <ErrorBox problem={problemOf(library.error)} retry={() => void library.refetch()} />
        </div>
      )}
      {library.isPending && (
        <div className="p-6">
          <Loading />
        </div>
      )}
      {library.data?.unknown && (
        <div className="px-4 pt-4 lg:px-6">
          <Notice icon="alert" tone="warn">
            Nobody can say now which versions were reviewed: {library.data.unknown.message}. The scripts themselves are here.
          </Notice>
        </div>
      )}
      {library.data && all.length === 0 && !editing && (
        <Empty
          action={
            <>
              <Button icon="plus" look="primary" onClick={create}>
                Write the first
              </Button>
              <Button onClick={() => setExchange(true)}>Import a folder</Button>
            </>
          }
          icon="terminal"
          title="No scripts yet"
        >
          Keep here what you run again: title, parameters and every version of its text. A version counts as reviewed once two people have signed a job with it; then up to 50 endpoints that ran it are everyday work.
        </Empty>
      )}
      {library.data && (all.length > 0 || editing) && (
        <div className="flex min-h-0 flex-1 flex-col md:flex-row">
          {all.length > 0 && (
            <div className="max-h-56 shrink-0 overflow-y-auto border-b border-line bg-panel md:max-h-none md:w-72 md:border-r md:border-b-0 xl:w-88">
              <div className="sticky top-0 border-b border-line bg-panel p-2">
                <Input aria-label="Search scripts" onChange={(event) => setTyped(event.target.value)} placeholder={`Search ${plural(all.length, 'script')}`} type="search" value={typed} />
              </div>
              <ul aria-label="Scripts">
                {found.map((one) => (
                  <Row chosen={one === chosen} key={one.about.name} known={!library.data?.unknown} onChoose={() => show(one)} script={one} />
                ))}
              </ul>
              {found.length === 0 && <p className="p-4 text-ink-2">No script has these words.</p>}
            </div>
          )}
          <Detail>
            {editing ? (
              <EditScript key={search.name ?? ''} onClose={(name) => void navigate({ search: name ? { name } : {} })} script={chosen} />
            ) : chosen ? (
              <ScriptDetail key={chosen.about.name} known={!library.data.unknown} script={chosen} search={search} />
            ) : (
              <p className="text-ink-2">No script is called so.</p>
            )}
          </Detail>
        </div>
      )}
      {exchange && <Exchange onClose={() => setExchange(false)} />}
    </>
  )
}

function Detail({ children }: { children: ReactNode }) {
  return (
    <div className="min-w-0 flex-1 overflow-y-auto" data-scroll>
      <div className="mx-auto flex max-w-240 flex-col gap-4 p-4 lg:p-6">{children}</div>
    </div>
  )
}

function Row({ script, chosen, known, onChoose }: { script: LibraryScript; chosen: boolean; known: boolean; onChoose: () => void }) {
  const newest = script.versions[0]
  return (
    <li>
      <button
        aria-current={chosen ? 'true' : undefined}
        className={cx('block w-full border-b border-line/60 px-4 py-2 text-left', chosen ? 'bg-selected' : 'hover:bg-hover')}
        onClick={onChoose}
        type="button"
      >
        <span className="flex items-center gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">
            <Untrusted max={120} text={script.about.title} />
          </span>
          <ReviewBadge known={known} version={newest} />
        </span>
        <span className="mt-0.5 flex gap-2 text-sm text-ink-2">
          <code className="min-w-0 flex-1 truncate text-ink-3">{script.about.name}</code>
          {newest && <Time at={newest.at} />}
        </span>
      </button>
    </li>
  )
}
