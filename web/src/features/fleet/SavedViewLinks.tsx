import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { viewsQuery } from '~/api/queries'
import { Untrusted } from '~/ui/Untrusted'

import { searchOf } from './search'

/** The lists that somebody keeps, below the fleet in the sidebar. */
export function SavedViewLinks({ onGo }: { onGo: () => void }) {
  const views = useQuery(viewsQuery())
  if (!views.data || views.data.views.length === 0) return null
  return (
    <ul aria-label="Saved views" className="mb-1 ml-[1.15rem] flex flex-col gap-px border-l border-line pl-2">
      {views.data.views.map((view) => (
        <li key={view.name}>
          <Link
            activeOptions={{ exact: true, includeSearch: true }}
            activeProps={{ className: 'bg-selected text-accent font-medium', 'aria-current': 'true' }}
            className="flex h-7 items-center rounded-md px-2.5"
            inactiveProps={{ className: 'text-ink-2 hover:bg-hover hover:text-ink' }}
            onClick={onGo}
            search={searchOf(view)}
            to="/fleet"
          >
            <span className="min-w-0 truncate">
              <Untrusted text={view.name} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
