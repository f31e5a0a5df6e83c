import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { Icon } from '~/ui/Icon'
import { PageBody, PageHead } from '~/ui/Layout'
import { cx } from '~/ui/cx'

type Props = { title: string; steps: readonly string[]; at: number; children: ReactNode }

/** One question after the other, and where one is. */
export function Wizard({ title, steps, at, children }: Props) {
  return (
    <>
      <PageHead
        before={
          <Link className="hover:text-accent" to="/">
            Start
          </Link>
        }
        title={title}
      />
      <PageBody className="mx-0! max-w-240! lg:grid! lg:grid-cols-[13rem_minmax(0,1fr)] lg:items-start lg:gap-8">
        <nav aria-label="Steps">
          <ol className="flex gap-1 lg:flex-col lg:gap-0.5">
            {steps.map((step, number) => (
              <li
                aria-current={number === at ? 'step' : undefined}
                className={cx('flex items-center gap-2.5 rounded-md py-1.5 max-lg:flex-1 lg:px-2', number === at ? 'font-medium text-ink lg:bg-selected' : 'text-ink-3')}
                key={step}
              >
                <span
                  aria-hidden="true"
                  className={cx(
                    'tabular grid size-5 shrink-0 place-items-center rounded-full border text-xs max-lg:h-1 max-lg:w-full max-lg:border-0',
                    number < at && 'border-ok text-ok max-lg:bg-ok',
                    number === at && 'border-accent bg-accent text-accent-ink',
                    number > at && 'border-line-strong max-lg:bg-line-strong',
                  )}
                >
                  <span className="max-lg:hidden">{number < at ? <Icon name="check" size={12} /> : number + 1}</span>
                </span>
                <span className="max-lg:sr-only">
                  {step}
                  {number < at && <span className="sr-only"> (done)</span>}
                </span>
              </li>
            ))}
          </ol>
          <p className="mt-2 text-sm text-ink-2 lg:hidden">
            Step {at + 1} of {steps.length}
          </p>
        </nav>
        <div className="flex min-w-0 flex-col gap-4">{children}</div>
      </PageBody>
    </>
  )
}

/** A step begins at its head, for eyes and for screen readers: what had the focus is gone with the step before. */
function begin(head: HTMLElement | null): void {
  head?.focus()
  head?.closest('[data-scroll]')?.scrollTo(0, 0)
}

/** The question of a step. */
export function StepHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div>
      <h2 className="text-lg font-semibold outline-offset-4" ref={begin} tabIndex={-1}>
        {title}
      </h2>
      {children && <div className="mt-1 max-w-160 text-ink-2">{children}</div>}
    </div>
  )
}

/** What leads on, and back. */
export function StepFoot({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-2 border-t border-line pt-4">{children}</div>
}
