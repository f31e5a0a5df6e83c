import { useQuery } from '@tanstack/react-query'

import { freezeQuery } from '~/api/queries'
import type { FreezeRow } from '~/api/schema'
import { plural, count } from '~/lib/format'
import { Icon } from '~/ui/Icon'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

/** "org" as people say it. */
export function scopeWords(scope: string): string {
  if (scope === 'org') return 'the whole organisation'
  if (scope === 'sessions') return 'remote sessions'
  const [kind, ...rest] = scope.split(':')
  return `${kind} ${rest.join(':')}`
}

/** What stands still, on every page, with confirmations that count up. */
export function FreezeBanner({ freezes, onOpen }: { freezes: readonly FreezeRow[]; onOpen: (id: string) => void }) {
  if (freezes.length === 0) return null
  return (
    <div aria-label="What stands still" className="border-b border-frost/35 bg-frost-soft" role="region">
      {freezes.slice(0, 3).map((row) => (
        <BannerLine key={row.id} onOpen={onOpen} row={row} />
      ))}
      {freezes.length > 3 && <p className="px-4 pb-1.5 text-sm lg:px-6">and {freezes.length - 3} more</p>}
    </div>
  )
}

function BannerLine({ row, onOpen }: { row: FreezeRow; onOpen: (id: string) => void }) {
  const view = useQuery(freezeQuery(row.id))
  const seen = view.data
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 px-4 py-1.5 lg:px-6">
      <Icon className="text-frost" name="snow" />
      <span className="font-medium">
        Frozen: <Untrusted text={scopeWords(row.scope)} />
      </span>
      <span className="text-ink-2">
        by <Untrusted text={row.by.join(', ')} />, ends <Time at={row.until} />
      </span>
      <span aria-live="polite" className="tabular">
        {seen ? (
          <>
            <b className="font-medium">{count(seen.confirmed)}</b> of {plural(seen.endpoints, 'endpoint')} confirmed
            {seen.missing > 0 && <span className="font-medium text-bad">, {count(seen.missing)} connected and not yet</span>}
            {seen.offline > 0 && <span className="text-ink-2">, {count(seen.offline)} away</span>}
          </>
        ) : (
          <span className="text-ink-2">{count(row.confirmed)} confirmed, by the server’s word</span>
        )}
      </span>
      <button className="ml-auto rounded-sm px-1.5 font-medium text-frost underline-offset-2 hover:underline" onClick={() => onOpen(row.id)} type="button">
        Who has confirmed
      </button>
    </div>
  )
}
