import type { ReactNode } from 'react'

import { cx } from './cx'

export type Tone = 'plain' | 'ok' | 'warn' | 'bad' | 'accent' | 'frost'

const tones: Record<Tone, string> = {
  plain: 'bg-sunken text-ink-2',
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  accent: 'bg-accent-soft text-accent',
  frost: 'bg-frost-soft text-frost',
}

export function Badge({ tone = 'plain', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      className={cx('inline-flex h-5 items-center gap-1 whitespace-nowrap rounded-sm px-1.5 text-xs font-medium', tones[tone])}
      title={title}
    >
      {children}
    </span>
  )
}

const dots: Record<Tone, string> = {
  plain: 'border-line-strong bg-transparent',
  ok: 'border-ok bg-ok',
  warn: 'border-warn bg-warn',
  bad: 'border-bad bg-bad',
  accent: 'border-accent bg-accent',
  frost: 'border-frost bg-frost',
}

/** A state that words beside it also say. */
export function Dot({ tone }: { tone: Tone }) {
  return <span aria-hidden="true" className={cx('inline-block size-2 shrink-0 rounded-full border', dots[tone])} />
}
