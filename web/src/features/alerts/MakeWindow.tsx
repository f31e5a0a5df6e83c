import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { alertRulesQuery, makeWindow } from '~/api/alerts'
import { problemOf } from '~/api/client'
import type { MaintenanceWindow } from '~/api/schema'
import { useNow } from '~/lib/now'
import { Button } from '~/ui/Button'
import { Dialog } from '~/ui/Dialog'
import { Field, Input, Select } from '~/ui/Field'
import { ErrorBox } from '~/ui/States'

import { type WindowForm, emptyForm, windowOf } from './windows'

/** A window is a rule of the server, not a statement: it hides messages and touches no endpoint. */
export function MakeWindow({ version, onClose }: { version: number; onClose: () => void }) {
  const queries = useQueryClient()
  const now = useNow()
  const [form, setForm] = useState(() => emptyForm(Intl.DateTimeFormat().resolvedOptions().timeZone))
  const set = (change: Partial<WindowForm>) => setForm((before) => ({ ...before, ...change }))
  const window = windowOf(form, now)
  const making = useMutation({
    mutationFn: (wanted: MaintenanceWindow) => makeWindow(version, wanted),
    onSuccess: (rules) => {
      queries.setQueryData(alertRulesQuery().queryKey, rules)
      onClose()
    },
  })
  const text = (key: keyof WindowForm, label: string, hint?: string, type = 'text') => (
    <Field hint={hint} label={label}>
      {(ids) => <Input {...ids} onChange={(event) => set({ [key]: event.target.value })} type={type} value={form[key]} />}
    </Field>
  )
  return (
    <Dialog
      description="While it is open nothing is sent. What is still wrong at its end is sent then."
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button busy={making.isPending} disabledReason={typeof window === 'string' && window} look="primary" onClick={() => typeof window !== 'string' && making.mutate(window)}>
            Make the window
          </Button>
        </>
      }
      onClose={onClose}
      open
      title="Make a maintenance window"
    >
      <div className="flex flex-col gap-3">
        {making.error && <ErrorBox problem={problemOf(making.error)} />}
        {text('name', 'Name', 'What the others read in the list.')}
        <Field label="When">
          {(ids) => (
            <Select {...ids} onChange={(event) => set({ how: event.target.value === 'again' ? 'again' : event.target.value === 'once' ? 'once' : 'now' })} value={form.how}>
              <option value="now">From now on</option>
              <option value="once">Once</option>
              <option value="again">Again and again</option>
            </Select>
          )}
        </Field>
        {form.how === 'now' && text('hours', 'Hours', undefined, 'number')}
        {form.how === 'once' && (
          <div className="grid gap-3 sm:grid-cols-2">
            {text('from', 'Begins', 'By this computer’s clock and zone.', 'datetime-local')}
            {text('until', 'Ends', undefined, 'datetime-local')}
          </div>
        )}
        {form.how === 'again' && (
          <div className="grid gap-3 sm:grid-cols-3">
            {text('cron', 'Begins at', 'Minute, hour, day, month, weekday.')}
            {text('zone', 'Time zone')}
            {text('minutes', 'Minutes', undefined, 'number')}
          </div>
        )}
        <div className="grid gap-3 sm:grid-cols-2">
          {text('tenant', 'Tenant', 'Left out: every tenant.')}
          {text('site', 'Site', 'Left out: every site.')}
          {text('endpoint', 'Endpoint', 'A whole id, ep_…; may be left out.')}
          {text('check', 'Check', 'With * at its end: all that begin so. May be left out.')}
        </div>
      </div>
    </Dialog>
  )
}
