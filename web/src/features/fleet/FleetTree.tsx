import type { FleetCounts, FleetTree as Tree } from '~/api/schema'
import { count } from '~/lib/format'
import { Icon, type IconName } from '~/ui/Icon'
import { Loading } from '~/ui/States'
import { Untrusted } from '~/ui/Untrusted'
import { cx } from '~/ui/cx'

import type { FleetSearch } from './search'

type Props = { tree: Tree | undefined; search: FleetSearch; onChoose: (change: Partial<FleetSearch>) => void }

/** Tenants and their sites. The chosen tenant is open. */
export function FleetTree({ tree, search, onChoose }: Props) {
  if (!tree) return <Loading lines={10} />
  return (
    <nav aria-label="Tenants and sites">
      <ul className="flex flex-col gap-px">
        <li>
          <Leaf chosen={!search.tenant} counts={tree.counts} icon="fleet" name="All endpoints" onPress={() => onChoose({ tenant: undefined, site: undefined })} />
        </li>
        {tree.tenants.map((branch) => {
          const key = branch.tenant ?? 'none'
          const chosen = search.tenant === key
          return (
            <li key={key}>
              <Leaf
                chosen={chosen && !search.site}
                counts={branch.counts}
                icon="building"
                name={branch.tenant ?? 'No tenant yet'}
                onPress={() => onChoose({ tenant: key, site: undefined })}
                open={branch.sites.length > 0 ? chosen : undefined}
              />
              {chosen && (
                <ul className="flex flex-col gap-px">
                  {branch.sites.map((site) => (
                    <li key={site.site ?? ''}>
                      <Leaf
                        chosen={search.site === (site.site ?? undefined)}
                        counts={site.counts}
                        inner
                        name={site.site ?? 'no site'}
                        onPress={() => onChoose({ tenant: key, site: site.site ?? undefined })}
                      />
                    </li>
                  ))}
                </ul>
              )}
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

function Leaf(props: { name: string; counts: FleetCounts; chosen: boolean; onPress: () => void; icon?: IconName; inner?: boolean; open?: boolean | undefined }) {
  const { counts } = props
  const title = `${count(counts.connected)} connected, ${count(counts.away)} away, ${count(counts.quarantined)} in quarantine`
  return (
    <button
      aria-current={props.chosen ? 'true' : undefined}
      aria-expanded={props.open}
      className={cx(
        'flex h-7.5 w-full items-center gap-2 rounded-md text-left',
        props.inner ? 'pr-2 pl-8' : 'px-2',
        props.chosen ? 'bg-selected font-medium text-accent' : 'text-ink-2 hover:bg-hover hover:text-ink',
      )}
      onClick={props.onPress}
      title={title}
      type="button"
    >
      {props.icon && <Icon className="shrink-0" name={props.icon} size={14} />}
      <span className="min-w-0 flex-1 truncate">
        <Untrusted text={props.name} />
      </span>
      {counts.quarantined > 0 && <span className="tabular text-xs text-warn">{count(counts.quarantined)}</span>}
      <span className="tabular text-xs text-ink-3">{count(counts.total)}</span>
    </button>
  )
}
