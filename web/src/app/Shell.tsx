import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { Fragment, type ReactNode, Suspense, lazy, useCallback, useEffect, useMemo, useState } from 'react'

import type { SignableAction } from '~/api/actions'
import { useLiveNews } from '~/api/events'
import { meQuery, outsideOf, overviewQuery } from '~/api/queries'
import type { Signed } from '~/api/schema'
import { EnrolDialog } from '~/features/enrol/EnrolDialog'
import { EnrolContext } from '~/features/enrol/enrolling'
import { SavedViewLinks } from '~/features/fleet/SavedViewLinks'
import { FreezeBanner } from '~/features/freeze/FreezeBanner'
import { FreezeDialog } from '~/features/freeze/FreezeDialog'
import { AddPersonContext } from '~/features/people/adding'
import { SigningSheet } from '~/features/sign/SigningSheet'
import { SigningContext } from '~/features/sign/signing'
import { count } from '~/lib/format'
import { rememberFirst, useKeys } from '~/lib/keys'
import { setPreferences, usePreferences } from '~/lib/preferences'
import { Button } from '~/ui/Button'
import { Icon, type IconName, Mark } from '~/ui/Icon'
import { Kbd } from '~/ui/Kbd'
import { cx } from '~/ui/cx'
import { ErrorBox } from '~/ui/States'

import { Help } from './Help'
import { LinkState } from './LinkState'
import { Commands } from './Commands'
import { FreezeContext } from './freezing'

// Not wanted every day: it is loaded when it is opened.
const AddPersonDialog = lazy(() => import('~/features/people/AddPersonDialog').then((all) => ({ default: all.AddPersonDialog })))

type Page = { to: '/' | '/fleet' | '/inventory' | '/alerts' | '/policies' | '/approvals' | '/run' | '/scripts' | '/jobs' | '/orders' | '/freezes' | '/trust' | '/log' | '/audit' | '/settings'; name: string; icon: IconName; keys: string }

export const pages: readonly Page[] = [
  { to: '/', name: 'Start', icon: 'home', keys: 'g s' },
  { to: '/fleet', name: 'Fleet', icon: 'fleet', keys: 'g f' },
  { to: '/inventory', name: 'Inventory', icon: 'search', keys: 'g i' },
  { to: '/alerts', name: 'Alerts', icon: 'bell', keys: 'g e' },
  { to: '/policies', name: 'Checks', icon: 'pulse', keys: 'g p' },
  { to: '/approvals', name: 'Approvals', icon: 'inbox', keys: 'g a' },
  { to: '/run', name: 'Run', icon: 'play', keys: 'g r' },
  { to: '/scripts', name: 'Scripts', icon: 'terminal', keys: 'g c' },
  { to: '/jobs', name: 'Jobs', icon: 'jobs', keys: 'g j' },
  { to: '/orders', name: 'Standing orders', icon: 'repeat', keys: 'g o' },
  { to: '/freezes', name: 'Freezes', icon: 'snow', keys: 'g z' },
  { to: '/trust', name: 'Trust', icon: 'shield', keys: 'g t' },
  { to: '/log', name: 'Log', icon: 'book', keys: 'g l' },
  { to: '/audit', name: 'Audit', icon: 'user', keys: 'g u' },
  { to: '/settings', name: 'Settings', icon: 'gear', keys: 'g ,' },
]

/** What stands around every page. */
export function Shell() {
  const navigate = useNavigate()
  const [overlay, setOverlay] = useState<'palette' | 'help' | 'menu' | 'enrol' | 'person' | undefined>()
  const [freezing, setFreezing] = useState<string | undefined>()
  const [signing, setSigning] = useState<{ action: SignableAction; after: ((signed: Signed) => void) | undefined }>()
  const me = useQuery(meQuery())
  const outside = outsideOf(me.data)
  const shown = outside ? pages.filter((page) => page.to === '/' || page.to === '/settings') : pages
  const overview = useQuery(overviewQuery(me.data))
  const live = useLiveNews()
  const sign = useCallback((action: SignableAction, after?: (signed: Signed) => void) => setSigning({ action, after }), [])
  const enrol = useCallback(() => setOverlay('enrol'), [])
  const person = useCallback(() => setOverlay('person'), [])
  const freeze = useCallback((scope = 'org') => setFreezing(scope), [])

  useKeys({
    '?': () => setOverlay('help'),
    ...(outside ? {} : { 'mod+k': () => setOverlay('palette'), '!': () => freeze() }),
    ...Object.fromEntries(shown.map((page) => [page.keys, () => void navigate({ to: page.to })])),
  })
  useEffect(() => {
    window.addEventListener('keydown', rememberFirst)
    return () => window.removeEventListener('keydown', rememberFirst)
  }, [])

  const badges: Partial<Record<Page['to'], Badge>> = {
    '/approvals': { count: overview.data?.waiting_for_me ?? 0, says: 'waiting for you' },
    '/alerts': { count: overview.data?.open_alerts ?? 0, says: 'open', bad: true },
  }
  const urgent = useMemo(() => (overview.data?.alerts ?? []).filter((alert) => alert.severity === 'urgent'), [overview.data])
  return (
    <SigningContext value={sign}>
      <FreezeContext value={freeze}>
      <EnrolContext value={enrol}>
      <AddPersonContext value={person}>
        <a className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2" href="#page">
          Skip to the page
        </a>
        <div className="flex h-full">
          <aside
            className={cx(
              'fixed inset-y-0 left-0 z-20 flex w-56 flex-col border-r border-line bg-panel lg:static lg:translate-x-0',
              overlay === 'menu' ? 'translate-x-0 shadow-2xl' : '-translate-x-full max-lg:invisible',
            )}
          >
            <div className="flex h-12 items-center gap-2.5 px-4 font-semibold">
              <Mark /> Bartizan
            </div>
            <nav aria-label="Pages" className="flex flex-1 flex-col gap-px overflow-y-auto px-2 py-1">
              {shown.map((page) => (
                <Fragment key={page.to}>
                  <NavItem badge={badges[page.to]} onGo={() => setOverlay(undefined)} page={page} />
                  {page.to === '/fleet' && me.data && <SavedViewLinks onGo={() => setOverlay(undefined)} />}
                </Fragment>
              ))}
            </nav>
            <WhoAmI />
          </aside>
          {overlay === 'menu' && <button aria-label="Close the menu" className="backdrop fixed inset-0 z-10 lg:hidden" onClick={() => setOverlay(undefined)} type="button" />}
          <div className="flex min-w-0 flex-1 flex-col">
            <TopBar onFreeze={() => freeze()} outside={outside} onMenu={() => setOverlay('menu')} onPalette={() => setOverlay('palette')}>
              <LinkState live={live} />
            </TopBar>
            {urgent.map((alert) => (
              <div className="border-b border-line p-2" key={`${alert.code} ${alert.text}`}>
                <ErrorBox problem={{ code: alert.code, message: alert.text, next: alert.next }} />
              </div>
            ))}
            <FreezeBanner freezes={overview.data?.freezes ?? []} onOpen={(id) => void navigate({ to: '/freezes', search: { id } })} />
            <main className="flex min-h-0 flex-1 flex-col -outline-offset-2" id="page" tabIndex={-1}>
              <Outlet />
            </main>
          </div>
        </div>
        {overlay === 'palette' && <Commands onClose={() => setOverlay(undefined)} onHelp={() => setOverlay('help')} />}
        {overlay === 'help' && <Help onClose={() => setOverlay(undefined)} />}
        {overlay === 'enrol' && (
          <EnrolDialog
            onClose={() => setOverlay(undefined)}
            onSign={(body) => {
              setOverlay(undefined)
              sign({ kind: 'enrolment', body })
            }}
          />
        )}
        {overlay === 'person' && (
          <Suspense>
            <AddPersonDialog
              onClose={() => setOverlay(undefined)}
              onSign={(body) => {
                setOverlay(undefined)
                sign({ kind: 'person', body })
              }}
            />
          </Suspense>
        )}
        {freezing !== undefined && (
          <FreezeDialog
            onClose={() => setFreezing(undefined)}
            onSign={(body) => {
              setFreezing(undefined)
              sign({ kind: 'freeze', body }, (signed) => void navigate({ to: '/freezes', search: { id: signed.id } }))
            }}
            scope={freezing}
          />
        )}
        {signing && (
          <SigningSheet
            action={signing.action}
            onClose={() => setSigning(undefined)}
            onSigned={(signed) => {
              setSigning(undefined)
              signing.after?.(signed)
            }}
          />
        )}
      </AddPersonContext>
      </EnrolContext>
      </FreezeContext>
    </SigningContext>
  )
}

type Badge = { count: number; says: string; bad?: true }

function NavItem({ page, badge, onGo }: { page: Page; badge: Badge | undefined; onGo: () => void }) {
  return (
    <Link
      activeOptions={{ exact: page.to === '/', includeSearch: false }}
      activeProps={{ className: 'bg-selected text-accent font-medium', 'aria-current': 'page' }}
      className="group flex h-8 items-center gap-2.5 rounded-md px-2.5"
      inactiveProps={{ className: 'text-ink-2 hover:bg-hover hover:text-ink' }}
      onClick={onGo}
      to={page.to}
    >
      <Icon name={page.icon} />
      <span className="flex-1">{page.name}</span>
      {badge && badge.count > 0 ? (
        <span className={cx('tabular rounded-full px-1.5 text-xs font-medium', badge.bad ? 'bg-bad-soft text-bad' : 'bg-accent text-accent-ink')}>
          {count(badge.count)}
          <span className="sr-only"> {badge.says}</span>
        </span>
      ) : (
        <span className="opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100">
          <Kbd keys={page.keys} />
        </span>
      )}
    </Link>
  )
}

function TopBar(props: { children: ReactNode; outside: boolean; onMenu: () => void; onPalette: () => void; onFreeze: () => void }) {
  const { theme } = usePreferences()
  const dark = document.documentElement.dataset.theme === 'dark'
  return (
    <div className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-panel px-2 sm:px-4 lg:px-6">
      <Button className="lg:hidden" icon="menu" label="Menu" look="quiet" onClick={props.onMenu} />
      {!props.outside && (<button
        className="flex h-7.5 min-w-0 flex-1 items-center gap-2 rounded-md border border-line bg-ground px-2.5 text-ink-3 hover:border-line-strong sm:max-w-80"
        onClick={props.onPalette}
        type="button"
      >
        <Icon name="search" size={14} />
        <span className="min-w-0 flex-1 truncate text-left">Find or do anything</span>
        <span className="hidden sm:inline">
          <Kbd keys="Ctrl K" />
        </span>
      </button>)}
      <span className={cx('flex-1', !props.outside && 'hidden sm:block')} />
      {props.children}
      <Button
        className="max-sm:hidden"
        icon={dark ? 'sun' : 'moon'}
        key={theme}
        label={dark ? 'Light theme' : 'Dark theme'}
        look="quiet"
        onClick={() => setPreferences({ theme: dark ? 'light' : 'dark' })}
      />
      {!props.outside && (
        <Button hint={<>Stop everything, or a part <Kbd keys="!" /></>} icon="snow" look="frost" onClick={props.onFreeze}>
          Freeze
        </Button>
      )}
    </div>
  )
}

function WhoAmI() {
  const me = useQuery(meQuery())
  const { operator, key } = me.data ?? {}
  if (!operator) return <div className="h-14 border-t border-line" />
  return (
    <div className="flex items-center gap-2.5 border-t border-line px-4 py-2.5">
      <span aria-hidden="true" className="grid size-7 shrink-0 place-items-center rounded-full bg-sunken text-sm font-semibold text-ink-2">
        {operator.name.slice(0, 1).toUpperCase()}
      </span>
      <div className="min-w-0">
        <p className="truncate font-medium">{operator.name}</p>
        <p className="truncate text-xs text-ink-3" title={key?.fingerprint}>
          {operator.roles.join(', ')}
        </p>
      </div>
    </div>
  )
}
