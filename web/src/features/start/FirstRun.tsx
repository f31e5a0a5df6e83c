import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { foundingQuery } from '~/api/queries'
import { Icon, type IconName } from '~/ui/Icon'
import { Notice } from '~/ui/States'

/** This console belongs to nobody yet: found an organisation, or join one. */
export function FirstRun() {
  const founding = useQuery(foundingQuery())
  return (
    <>
      {founding.data?.waiting && (
        <Notice icon="clock">
          Something that you signed waits.{' '}
          <Link className="text-accent underline" to="/found">
            Go on with it
          </Link>
        </Notice>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <Way icon="building" link={<Link className="absolute inset-0 rounded-lg" aria-label="Found an organisation" to="/found" />} title="Found an organisation">
          You have a server, and nobody works with it yet. Ten minutes for two people: keys, words compared by telephone, recovery on paper.
        </Way>
        <Way icon="user" link={<Link className="absolute inset-0 rounded-lg" aria-label="Join an organisation" to="/join" />} title="Join one">
          Somebody founds one with you, or works in one already. You make your keys and send them your card.
        </Way>
      </div>
    </>
  )
}

function Way({ icon, title, link, children }: { icon: IconName; title: string; link: ReactNode; children: ReactNode }) {
  return (
    <section className="group relative flex gap-4 rounded-lg border border-line bg-panel p-5 transition-colors hover:border-accent">
      <span className="grid size-10 shrink-0 place-items-center rounded-full bg-accent-soft text-accent">
        <Icon name={icon} size={20} />
      </span>
      <div className="min-w-0 flex-1">
        <h2 className="text-lg font-semibold group-hover:text-accent">{title}</h2>
        <p className="mt-1 text-ink-2">{children}</p>
      </div>
      {link}
    </section>
  )
}
