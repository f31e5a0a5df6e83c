import { type ReactElement, cloneElement } from 'react'

import { cx } from './cx'

type LinkProps = { className?: string; 'aria-current'?: 'page' | undefined; children?: string }

/** Tabs are links: each has an address. */
export function Tabs({ label, tabs }: { label: string; tabs: { name: string; current: boolean; link: ReactElement<LinkProps> }[] }) {
  return (
    <nav aria-label={label} className="-mb-px flex gap-4 overflow-x-auto">
      {tabs.map((tab) =>
        cloneElement(tab.link, {
          key: tab.name,
          'aria-current': tab.current ? 'page' : undefined,
          className: cx(
            'border-b-2 pb-2 whitespace-nowrap first-letter:uppercase inline-block',
            tab.current ? 'border-accent font-medium text-ink' : 'border-transparent text-ink-2 hover:text-ink',
          ),
          children: tab.name,
        }),
      )}
    </nav>
  )
}
