import type { ReactNode } from 'react'
import { Popover } from '@base-ui/react/popover'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { LiveState } from '~/api/events'
import { meQuery } from '~/api/queries'
import type { Me } from '~/api/schema'
import { Dot, type Tone } from '~/ui/Badge'
import { Facts } from '~/ui/Layout'
import { Prose } from '~/ui/Prose'
import { ErrorBox } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

/** Whether what is shown is live, and how far it is verified. */
export function LinkState({ live }: { live: LiveState }) {
  const me = useQuery(meQuery())
  const { tone, words } = state(me.data, live)
  return (
    <Popover.Root>
      <Popover.Trigger className="flex h-7.5 items-center gap-2 rounded-md px-2 text-ink-2 hover:bg-hover" title={words}>
        <Dot tone={tone} />
        <span className="hidden md:inline">{words}</span>
        <span className="sr-only md:hidden">{words}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner align="end" className="z-30" sideOffset={6}>
          <Popover.Popup className="w-[min(24rem,92vw)] rounded-lg border border-line-strong bg-raised p-4 text-ink shadow-lg shadow-[var(--c-shadow)] outline-none">
            <Popover.Title className="mb-2 font-semibold">{words}</Popover.Title>
            {me.data?.problem && (
              <div className="mb-3">
                <ErrorBox problem={me.data.problem} />
              </div>
            )}
            <Facts
              rows={[
                ['Server', <Untrusted key="server" text={me.data?.server?.address ?? 'none'} />],
                ['Control log', me.data?.sync ? <span key="sync">{me.data.sync.control_size} entries, verified <Time at={me.data.sync.checked_at} /></span> : 'not verified yet'],
                ['Bundle', me.data?.organisation ? `version ${me.data.organisation.bundle_version}` : 'none'],
                ['Live news', live === 'live' ? 'open' : 'opening again; lists are asked for every half minute'],
                ...(me.data?.sync?.keeps_still ? [['Co-signs nothing', <Prose key="still" text={me.data.sync.keeps_still} />] as [string, ReactNode]] : []),
              ]}
            />
            <p className="mt-3 text-sm text-ink-3">
              This page talks to your own <code>bartizan</code> process only. What says <i>verified</i> was verified there.{' '}
              <Link className="text-accent underline" to="/log">
                Verify it yourself
              </Link>
            </p>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function state(me: Me | undefined, live: LiveState): { tone: Tone; words: string } {
  if (!me) return { tone: 'plain', words: 'Connecting' }
  if (me.standing === 'unreachable') return { tone: 'bad', words: 'Server unreachable' }
  if (me.standing === 'refused') return { tone: 'bad', words: 'Not verified' }
  if (me.standing === 'login_needed') return { tone: 'warn', words: 'Log in first' }
  if (me.standing === 'no_organisation') return { tone: 'warn', words: 'No organisation yet' }
  if (live !== 'live') return { tone: 'warn', words: 'Catching up' }
  return { tone: 'ok', words: 'Live, verified' }
}
