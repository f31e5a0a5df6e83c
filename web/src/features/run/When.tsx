import { useQuery } from '@tanstack/react-query'
import { useDeferredValue } from 'react'

import { problemOf } from '~/api/client'
import { orderPlanQuery, ordersQuery } from '~/api/queries'
import type { OrderPlan } from '~/api/schema'
import { Field, Input, Select } from '~/ui/Field'
import { ErrorBox, Loading } from '~/ui/States'
import { Time } from '~/ui/Time'
import { Untrusted } from '~/ui/Untrusted'

import type { Draft } from './draft'
import { type Standing, cronOf, dayChoices, missingOfStanding, triggerOf } from './standing'

type Part = { draft: Draft; set: (change: Partial<Draft>) => void }

/** Once, or again and again by itself. */
export function When({ draft, set }: Part) {
  const standing = draft.standing
  return (
    <div className="flex flex-col gap-3">
      <div aria-label="How often" className="flex self-start rounded-md border border-line-strong" role="group">
        {([[false, 'Once'], [true, 'Again and again']] as const).map(([stands, name]) => (
          <button
            aria-pressed={draft.stands === stands}
            className="h-7 border-l border-line px-2.5 text-ink-2 first:rounded-l-md first:border-l-0 last:rounded-r-md hover:bg-hover aria-pressed:bg-selected aria-pressed:font-medium aria-pressed:text-accent"
            key={name}
            onClick={() => set({ stands })}
            type="button"
          >
            {name}
          </button>
        ))}
      </div>
      {draft.stands && <Order form={standing} set={(change) => set({ standing: { ...standing, ...change } })} />}
    </div>
  )
}

const kinds: readonly [Standing['kind'], string][] = [
  ['calendar', 'at times of the day'],
  ['interval', 'every so often'],
  ['start', 'after each start of the machine'],
  ['disk_below', 'while a disk is nearly full'],
  ['service_down', 'while a service does not run'],
  ['reboot_pending', 'while it wants to be started anew'],
  ['file_changed', 'whenever a file changes'],
  ['ended', 'whenever another order has ended'],
]
const lengths: readonly [number, string][] = [[60, '1 minute'], [300, '5 minutes'], [900, '15 minutes'], [1800, '30 minutes'], [3600, '1 hour'], [6 * 3600, '6 hours'], [43_200, '12 hours'], [86_400, '1 day'], [7 * 86_400, '7 days'], [30 * 86_400, '30 days'], [90 * 86_400, '90 days']]
const between = (from: number, to: number) => lengths.filter(([seconds]) => seconds >= from && seconds <= to)

type Form = { form: Standing; set: (change: Partial<Standing>) => void }

function Length({ label, hint, value, choices, onChange, none }: { label: string; hint?: string; value: number; choices: readonly [number, string][]; onChange: (seconds: number) => void; none?: string }) {
  return (
    <Field hint={hint} label={label}>
      {(ids) => (
        <Select {...ids} onChange={(event) => onChange(Number(event.target.value))} value={value}>
          {none && <option value={0}>{none}</option>}
          {choices.map(([seconds, name]) => (
            <option key={seconds} value={seconds}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  )
}

function Order({ form, set }: Form) {
  const schedule = form.kind === 'interval' || form.kind === 'calendar'
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="It runs">
          {(ids) => (
            <Select {...ids} onChange={(event) => set({ kind: event.target.value as Standing['kind'] })} value={form.kind}>
              {kinds.map(([kind, name]) => (
                <option key={kind} value={kind}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Start form={form} set={set} />
      </div>
      {form.kind === 'calendar' && <Calendar form={form} set={set} />}
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        <Length choices={between(86_400, 90 * 86_400)} hint="Then it ends everywhere, for good." label="It stands for" onChange={(untilS) => set({ untilS })} value={form.untilS} />
        <Length choices={between(3600, 30 * 86_400)} hint="For so long a server that withholds a freeze can let it run on." label="Without news it stops after" onChange={(aloneS) => set({ aloneS })} value={form.aloneS} />
        {schedule && <Length choices={between(300, 86_400)} hint="The newest of several missed runs." label="A missed run may start late by" none="not at all" onChange={(lateS) => set({ lateS })} value={form.lateS} />}
        {schedule && <Length choices={between(60, 6 * 3600)} label="Endpoints are spread over" none="no time: all at once" onChange={(jitterS) => set({ jitterS })} value={form.jitterS} />}
        <Field hint="Empty: as usual." label="Most runs">
          {(ids) => (
            <span className="flex gap-1.5">
              <Input {...ids} inputMode="numeric" onChange={(event) => set({ runs: event.target.value })} placeholder={schedule ? '1440' : '24'} value={form.runs} />
              <Select aria-label="Within" onChange={(event) => set({ perS: Number(event.target.value) })} value={form.perS}>
                <option value={3600}>an hour</option>
                <option value={86_400}>a day</option>
                <option value={7 * 86_400}>7 days</option>
              </Select>
            </span>
          )}
        </Field>
        <Field hint="In seconds. Empty: as usual." label="Least time between two">
          {(ids) => <Input {...ids} inputMode="numeric" onChange={(event) => set({ distanceS: event.target.value })} placeholder={schedule ? '60' : '3600'} value={form.distanceS} />}
        </Field>
      </div>
    </>
  )
}

function Start({ form, set }: Form) {
  const orders = useQuery({ ...ordersQuery(), enabled: form.kind === 'ended' })
  switch (form.kind) {
    case 'interval':
      return <Length choices={between(60, 30 * 86_400)} label="Every" onChange={(everyS) => set({ everyS })} value={form.everyS} />
    case 'disk_below':
      return (
        <span className="grid grid-cols-[minmax(0,1fr)_7rem] gap-2">
          <Field label="Path">{(ids) => <Input {...ids} onChange={(event) => set({ path: event.target.value })} placeholder="/srv" value={form.path} />}</Field>
          <Field label="Below, per cent">{(ids) => <Input {...ids} max={99} min={1} onChange={(event) => set({ percent: Number(event.target.value) })} type="number" value={form.percent} />}</Field>
        </span>
      )
    case 'file_changed':
      return <Field label="Path">{(ids) => <Input {...ids} onChange={(event) => set({ path: event.target.value })} placeholder="/etc/hosts" value={form.path} />}</Field>
    case 'service_down':
      return <Field label="Service">{(ids) => <Input {...ids} onChange={(event) => set({ unit: event.target.value })} placeholder="nginx" value={form.unit} />}</Field>
    case 'ended':
      return (
        <span className="grid grid-cols-[minmax(0,1fr)_7rem] gap-2">
          <Field label="The other order">
            {(ids) => (
              <Select {...ids} onChange={(event) => set({ order: event.target.value })} value={form.order}>
                <option value="">Choose</option>
                {(orders.data?.orders ?? []).filter((order) => !order.withdrawn).map((order) => (
                  <option key={order.id} value={order.id}>
                    {order.title}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Ended">
            {(ids) => (
              <Select {...ids} onChange={(event) => set({ well: event.target.value === 'well' })} value={form.well ? 'well' : 'badly'}>
                <option value="badly">badly</option>
                <option value="well">well</option>
              </Select>
            )}
          </Field>
        </span>
      )
    case 'calendar':
      return <Field hint="Each endpoint reads its own database of time zones." label="Time zone">{(ids) => <Input {...ids} list="zones" onChange={(event) => set({ zone: event.target.value })} value={form.zone} />}</Field>
    case 'start':
    case 'reboot_pending':
      return null
  }
}

const two = (value: number) => String(value).padStart(2, '0')

function Calendar({ form, set }: Form) {
  const written = form.cron.trim() !== ''
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <datalist id="zones">
        {Intl.supportedValuesOf('timeZone').map((zone) => (
          <option key={zone} value={zone}>
            {zone}
          </option>
        ))}
      </datalist>
      <Field label="At">
        {(ids) => (
          <Input
            {...ids}
            disabled={written}
            onChange={(event) => {
              const [hour, minute] = event.target.value.split(':').map(Number)
              if (hour !== undefined && minute !== undefined && Number.isFinite(hour + minute)) set({ hour, minute })
            }}
            type="time"
            value={`${two(form.hour)}:${two(form.minute)}`}
          />
        )}
      </Field>
      <Field label="On">
        {(ids) => (
          <Select {...ids} disabled={written} onChange={(event) => set({ days: event.target.value })} value={form.days}>
            {dayChoices.map(([days, name]) => (
              <option key={days} value={days}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field hint="Minute, hour, day, month, weekday. Empty: as chosen." label="Or as a calendar">
        {(ids) => <Input {...ids} className="font-mono" onChange={(event) => set({ cron: event.target.value })} placeholder={cronOf({ ...form, cron: '' })} value={form.cron} />}
      </Field>
    </div>
  )
}

/** When it would run, in words, before anybody signs. */
export function NextRuns({ draft }: { draft: Draft }) {
  const trigger = triggerOf(useDeferredValue(draft.standing))
  const plan = useQuery({ ...orderPlanQuery(trigger), enabled: draft.stands && missingOfStanding(draft.standing) === undefined })
  if (!draft.stands) return null
  if (plan.error) return <ErrorBox problem={problemOf(plan.error)} />
  if (!plan.data) return missingOfStanding(draft.standing) ? null : <Loading lines={3} />
  // Of what was written before, until the answer is there.
  return (
    <div aria-busy={plan.isPlaceholderData || undefined} className={plan.isPlaceholderData ? 'opacity-40' : undefined}>
      <Runs plan={plan.data} />
    </div>
  )
}

function Runs({ plan }: { plan: OrderPlan }) {
  return (
    <section className="flex flex-col gap-2">
      <h3 className="font-semibold">
        Runs <Untrusted className="whitespace-normal!" text={plan.starts} />, until <Time absolute at={plan.until} />
      </h3>
      {plan.runs.length > 0 && (
        <ol aria-label="The next runs" className="flex flex-col gap-0.5">
          {plan.runs.map((run) => (
            <li className={run.passed_over ? 'text-ink-3' : undefined} key={run.at}>
              <span className={run.passed_over ? 'line-through' : 'tabular'}>{run.wall}</span> {run.passed_over && <span>passed over: {run.passed_over}</span>}
            </li>
          ))}
        </ol>
      )}
      {plan.runs.length > 0 && <p className="text-sm text-ink-3">By the clock of {plan.zone}, without the spread.</p>}
      {!plan.schedule && <p className="text-ink-2">It has no times: each endpoint looks for itself, and starts a run when it holds.</p>}
      {plan.schedule && plan.runs.length === 0 && <p className="text-warn">It never comes before it ends.</p>}
      <ul className="flex list-disc flex-col gap-0.5 pl-4 text-ink-2">
        {plan.bounds.map((bound) => (
          <li key={bound}>{bound}</li>
        ))}
      </ul>
    </section>
  )
}
