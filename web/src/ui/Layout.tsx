import type { ReactNode } from 'react'

import { cx } from './cx'

type HeadProps = { title: ReactNode; under?: ReactNode; actions?: ReactNode; tabs?: ReactNode; before?: ReactNode }

/** The head of a page: what it is, and what can be done. */
export function PageHead({ title, under, actions, tabs, before }: HeadProps) {
  return (
    <header className="border-b border-line bg-panel px-4 pt-3 lg:px-6">
      {before && <div className="mb-1 text-sm text-ink-3">{before}</div>}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 pb-3">
        <div className="min-w-0 flex-1 basis-44">
          <h1 className="truncate text-xl font-semibold tracking-[-0.01em]">{title}</h1>
          {under && <div className="mt-0.5 text-ink-2">{under}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {tabs}
    </header>
  )
}

/** What scrolls below the head. */
export function PageBody({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" data-scroll>
      <div className={cx('mx-auto flex w-full max-w-400 flex-col gap-4 p-4 lg:p-6', className)}>{children}</div>
    </div>
  )
}

export function Card(props: { title?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; flush?: boolean }) {
  const { title, actions, children, className, flush } = props
  return (
    <section className={cx('min-w-0 rounded-lg border border-line bg-panel', className)}>
      {title && (
        <div className="flex min-h-10 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
          <h2 className="min-w-0 flex-1 basis-40 font-semibold">{title}</h2>
          {actions}
        </div>
      )}
      <div className={flush ? '' : 'px-4 py-3'}>{children}</div>
    </section>
  )
}

/** Names and values. */
export function Facts({ rows, className }: { rows: [ReactNode, ReactNode][]; className?: string }) {
  return (
    <dl className={cx('grid grid-cols-[minmax(7rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5', className)}>
      {rows.map(([name, value], at) => (
        <div className="contents" key={at}>
          <dt className="text-ink-3">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
