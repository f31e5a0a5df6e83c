import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { entriesQuery, jobsQuery, logsQuery, trustQuery } from '~/api/queries'
import type { Me, Overview } from '~/api/schema'
import { Button } from '~/ui/Button'
import { Command } from '~/ui/Copy'
import { Icon } from '~/ui/Icon'
import { Card } from '~/ui/Layout'
import { cx } from '~/ui/cx'

import { useFreezing } from '~/app/freezing'

import { useEnrolling } from '../enrol/enrolling'
import { useAddingPerson } from '../people/adding'
import { useSigning } from '../sign/signing'
import { type Step, stepsOf } from './steps'

/** From nothing to a fleet that is worked on: what is done, and what comes next. Gone when all is done. */
export function Checklist({ me, overview }: { me: Me; overview: Overview | undefined }) {
  const ready = me.standing === 'ready'
  const trust = useQuery({ ...trustQuery(), enabled: ready })
  const jobs = useQuery({ ...jobsQuery({ limit: 100 }), enabled: ready })
  const logs = useQuery({ ...logsQuery(), enabled: ready })
  const control = useQuery({ ...entriesQuery('control', { limit: 500 }), enabled: ready })
  if (ready && !(trust.data && jobs.data && logs.data && control.data)) return null
  const steps = stepsOf({ me, overview, trust: trust.data, jobs: jobs.data?.rows, logs: logs.data?.logs, control: control.data?.rows })
  const next = steps.find((step) => !step.done)
  if (!next) return null
  const done = steps.filter((step) => step.done).length
  return (
    <Card
      actions={
        <span className="tabular text-ink-2">
          {done} of {steps.length}
        </span>
      }
      flush
      title="Setting up"
    >
      <ol>
        {steps.map((step) => (
          <Line current={step === next} key={step.title} step={step} />
        ))}
      </ol>
    </Card>
  )
}

function Line({ step, current }: { step: Step; current: boolean }) {
  let mark: ReactNode = <span className="size-4 rounded-full border border-line-strong" />
  if (step.done) mark = <Icon className="text-ok" name="check" />
  else if (current) mark = <Icon className="text-accent" name="chevron" />
  return (
    <li className="flex gap-3 border-b border-line/60 px-4 py-2.5 last:border-b-0">
      <span className="mt-0.5 grid size-4 shrink-0 place-items-center">{mark}</span>
      <div className="min-w-0 flex-1">
        <p className={cx(step.done ? 'text-ink-2' : 'font-medium')}>
          {step.title} <span className="sr-only">{step.done ? '(done)' : '(to do)'}</span>
        </p>
        {current && (
          <div className="mt-0.5 flex flex-col gap-2">
            <p className="text-ink-2">{step.how}</p>
            {step.act && <Act act={step.act} />}
            {step.commands.map((command) => (
              <Command key={command} label="command" text={command} />
            ))}
          </div>
        )}
      </div>
    </li>
  )
}

/** What leads to the next step from here. */
function Act({ act }: { act: NonNullable<Step['act']> }) {
  const enrol = useEnrolling()
  const freeze = useFreezing()
  const add = useAddingPerson()
  const navigate = useNavigate()
  const sign = useSigning()
  const acts = {
    person: { icon: 'plus', name: 'Add a person', go: add },
    both: { icon: 'key', name: 'Read and sign', go: () => sign({ kind: 'threshold', body: { people: 2 } }) },
    enrol: { icon: 'plus', name: 'Enrol endpoints', go: enrol },
    run: { icon: 'play', name: 'Write a script', go: () => void navigate({ to: '/run', search: {} }) },
    freeze: { icon: 'snow', name: 'Freeze for a drill', go: () => freeze() },
  } as const
  const { icon, name, go } = acts[act]
  return (
    <div>
      <Button icon={icon} look="primary" onClick={go}>
        {name}
      </Button>
    </div>
  )
}
