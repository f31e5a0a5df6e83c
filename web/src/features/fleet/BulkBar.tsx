import { useQuery } from '@tanstack/react-query'

import { problemOf } from '~/api/client'
import { previewQuery } from '~/api/queries'
import { plural, count } from '~/lib/format'
import { Button, Spinner } from '~/ui/Button'
import { Kbd } from '~/ui/Kbd'
import { Prose } from '~/ui/Prose'
import { Untrusted } from '~/ui/Untrusted'

import { ClassBadge } from '../jobs/badges'
import { Stages } from '../sign/Stages'
import { type Selection, selectionMax } from './selection'

/** What acting on the selection would need, said before anybody acts. */
export function BulkBar({ selection, total, onRun }: { selection: Selection; total: number; onRun: () => void }) {
  const preview = useQuery(previewQuery({ on: selection.targets, destructive: false }))
  const problem = preview.error ? problemOf(preview.error) : undefined
  const plan = preview.data
  // Of fewer endpoints than are chosen by now: what it says is not said of these.
  const old = preview.isPlaceholderData
  return (
    <div aria-label="Selection" className="border-t border-line-strong bg-raised px-4 py-2.5 shadow-[0_-8px_24px_-12px_var(--c-shadow)] lg:px-6" role="region">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <span className="tabular font-semibold">{count(selection.size)} chosen</span>
        <div aria-live="polite" className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1 text-ink-2">
          {!problem && (!plan || old) && (
            <span className="inline-flex items-center gap-2">
              <Spinner /> Looking what it would need
            </span>
          )}
          {problem && (
            <span className="text-bad">
              <Untrusted className="whitespace-normal!" text={`${problem.message}${problem.next ? `: ${problem.next}` : ''}`} />
            </span>
          )}
          {plan && !old && !problem && (
            <>
              <span>
                A new script on {plural(plan.endpoints, 'endpoint')} of <Untrusted text={plan.tenant} /> is
              </span>
              <ClassBadge name={plan.class} />
              <b className="font-medium text-ink">
                <Prose text={plan.who_else} />
              </b>
              {plan.stages.length > 1 && <Stages stages={plan.stages} />}
            </>
          )}
        </div>
        <div className="flex flex-wrap gap-2">
          {selection.size < total && (
            <Button
              busy={selection.busy}
              disabledReason={total > selectionMax && `More than ${count(selectionMax)}: run on a tenant or a site instead, from the run page.`}
              look="quiet"
              onClick={() => void selection.all()}
            >
              Choose all {count(total)}
            </Button>
          )}
          <Button look="quiet" onClick={selection.clear}>
            Clear
          </Button>
          <Button disabledReason={problem?.message ?? (old ? undefined : plan?.disabled)} hint={<>Write what is to run <Kbd keys="r" /></>} icon="play" look="primary" onClick={onRun}>
            Run a script
          </Button>
        </div>
      </div>
    </div>
  )
}
