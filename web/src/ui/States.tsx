import type { ReactNode } from 'react'

import { Button } from './Button'
import { Icon, type IconName } from './Icon'
import { Prose } from './Prose'

/** Nothing here: why, and how something would come here. */
export function Empty(props: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-120 flex-col items-center gap-2 px-6 py-12 text-center">
      <span className="mb-1 grid size-10 place-items-center rounded-full bg-sunken text-ink-3">
        <Icon name={props.icon} size={20} />
      </span>
      <p className="text-lg font-semibold">{props.title}</p>
      {props.children && <div className="text-ink-2">{props.children}</div>}
      {props.action && <div className="mt-2 flex gap-2">{props.action}</div>}
    </div>
  )
}

export type Problem = { code: string; message: string; next?: string | null }

/** What went wrong and what to do. */
export function ErrorBox({ problem, retry }: { problem: Problem; retry?: () => void }) {
  return (
    <div className="flex items-start gap-3 rounded-md border border-bad/40 bg-bad-soft px-3 py-2.5" role="alert">
      <Icon className="mt-0.5 shrink-0 text-bad" name="alert" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-ink">
          <Prose text={sentence(problem.message)} />
        </p>
        {problem.next && (
          <p className="mt-0.5 text-ink-2">
            <Prose text={sentence(problem.next)} />
          </p>
        )}
        <code className="mt-1 block text-xs text-ink-2">{problem.code}</code>
      </div>
      {retry && (
        <Button onClick={retry} size="sm">
          Try again
        </Button>
      )}
    </div>
  )
}

/** A remark in the flow of a page. */
export function Notice({ tone = 'accent', icon = 'info', children }: { tone?: 'accent' | 'warn' | 'bad' | 'frost' | 'ok'; icon?: IconName; children: ReactNode }) {
  const tones = {
    accent: 'border-accent/30 bg-accent-soft [&>svg]:text-accent',
    warn: 'border-warn/35 bg-warn-soft [&>svg]:text-warn',
    bad: 'border-bad/40 bg-bad-soft [&>svg]:text-bad',
    frost: 'border-frost/35 bg-frost-soft [&>svg]:text-frost',
    ok: 'border-ok/35 bg-ok-soft [&>svg]:text-ok',
  }
  return (
    <div className={`flex items-start gap-2.5 rounded-md border px-3 py-2 ${tones[tone]}`}>
      <Icon className="mt-0.5 shrink-0" name={icon} />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  )
}

/** Grey lines in the shape of what comes. */
export function Loading({ lines = 6 }: { lines?: number }) {
  return (
    <div aria-busy="true" aria-label="Loading" className="flex flex-col gap-2.5 py-1" role="status">
      {Array.from({ length: lines }, (_, at) => (
        <span className={`skeleton h-4 ${['w-3/4', 'w-full', 'w-5/6', 'w-2/3'][at % 4]}`} key={at} />
      ))}
    </div>
  )
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
