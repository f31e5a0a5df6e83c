import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Suspense, lazy, useState } from 'react'

import { problemOf } from '~/api/client'
import { keepScript, scriptVersionQuery, scriptsQuery } from '~/api/queries'
import type { LibraryScript } from '~/api/schema'
import { useKeys } from '~/lib/keys'
import { Button } from '~/ui/Button'
import { Area, Check, Field, Input, Select } from '~/ui/Field'
import { Kbd } from '~/ui/Kbd'
import { ErrorBox, Loading } from '~/ui/States'

import { type ScriptForm, emptyScript, formOf, missingOf, nameFor, toKeep } from './form'

const Editor = lazy(() => import('../run/Editor').then((module) => ({ default: module.Editor })))

type Props = { script: LibraryScript | undefined; onClose: (name: string | undefined) => void }

/** A new script, or a new version of one. */
export function EditScript({ script, onClose }: Props) {
  const newest = script?.versions[0]?.sha256 ?? ''
  const version = useQuery({ ...scriptVersionQuery(script?.about.name ?? '', newest, undefined), enabled: script !== undefined })
  if (version.error) return <ErrorBox problem={problemOf(version.error)} retry={() => void version.refetch()} />
  if (script && !version.data) return <Loading lines={8} />
  return <Form first={script && version.data ? formOf(script, version.data.text) : emptyScript} fresh={!script} onClose={onClose} />
}

function Form({ first, fresh, onClose }: { first: ScriptForm; fresh: boolean; onClose: (name: string | undefined) => void }) {
  const queries = useQueryClient()
  const [form, setForm] = useState(first)
  const set = (change: Partial<ScriptForm>) => setForm((before) => ({ ...before, ...change }))
  const body = toKeep(form)
  const keep = useMutation({
    mutationFn: () => keepScript(body),
    onSuccess: (library) => {
      queries.setQueryData(scriptsQuery().queryKey, library)
      onClose(body.about.name)
    },
  })
  const reason = missingOf(form)
  const save = () => !reason && !keep.isPending && keep.mutate()
  useKeys({ 'mod+s': save })
  const parameter = (at: number, change: Partial<ScriptForm['parameters'][number]>) => set({ parameters: form.parameters.map((one, place) => (place === at ? { ...one, ...change } : one)) })
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 flex-1 text-xl font-semibold">{fresh ? 'New script' : 'Edit the script'}</h2>
        <Button onClick={() => onClose(fresh ? undefined : first.name)}>Cancel</Button>
        <Button busy={keep.isPending} disabledReason={reason} look="primary" onClick={save}>
          {fresh ? 'Keep it' : form.text === first.text ? 'Save' : 'Save as a new version'} <Kbd keys="Ctrl S" />
        </Button>
      </div>
      {keep.error && <ErrorBox problem={problemOf(keep.error)} />}
      <div className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_9rem_9rem]">
        <Field hint={fresh && form.title ? `Its file is called ${nameFor(form.title) || 'nothing yet'}.` : 'The title of its jobs.'} label="Title">
          {(ids) => <Input {...ids} maxLength={120} onChange={(event) => set({ title: event.target.value })} value={form.title} />}
        </Field>
        <Field label="Interpreter">
          {(ids) => (
            <Select {...ids} onChange={(event) => set({ interpreter: event.target.value as ScriptForm['interpreter'] })} value={form.interpreter}>
              <option value="sh">sh</option>
              <option value="bash">bash</option>
              <option value="python3">python3</option>
            </Select>
          )}
        </Field>
        <Field label="Longest run, seconds">
          {(ids) => <Input {...ids} max={86_400} min={1} onChange={(event) => set({ timeoutS: Number(event.target.value) })} type="number" value={form.timeoutS} />}
        </Field>
      </div>
      <Field label="Description">{(ids) => <Area {...ids} maxLength={4000} onChange={(event) => set({ description: event.target.value })} rows={2} value={form.description} />}</Field>
      <div>
        <p className="label mb-1">Script</p>
        <Suspense fallback={<div className="skeleton h-88" />}>
          <Editor label="Script" language={form.interpreter} onChange={(text) => set({ text })} value={form.text} />
        </Suspense>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Local account">{(ids) => <Input {...ids} onChange={(event) => set({ runAs: event.target.value })} placeholder="root" value={form.runAs} />}</Field>
        <Check checked={form.destructive} className="self-center" label="It deletes or disables something" onChange={(event) => set({ destructive: event.target.checked })} />
      </div>
      <section className="flex flex-col gap-2">
        <h3 className="label">Parameters</h3>
        <p className="text-ink-2">Variables of its environment that are filled in before each job, and signed with it. Another value is another form: it counts as reviewed only once two people have signed that.</p>
        {form.parameters.map((one, at) => (
          <div className="grid items-end gap-2 sm:grid-cols-[10rem_minmax(0,1fr)_10rem_auto]" key={at}>
            <Field label="Variable">{(ids) => <Input {...ids} onChange={(event) => parameter(at, { name: event.target.value })} placeholder="DAYS" value={one.name} />}</Field>
            <Field label="What to write there">{(ids) => <Input {...ids} onChange={(event) => parameter(at, { about: event.target.value })} value={one.about} />}</Field>
            <Field label="Usual value">{(ids) => <Input {...ids} onChange={(event) => parameter(at, { value: event.target.value })} value={one.value} />}</Field>
            <Button icon="close" label={`Without ${one.name || 'this parameter'}`} look="quiet" onClick={() => set({ parameters: form.parameters.toSpliced(at, 1) })} />
          </div>
        ))}
        <Button className="self-start" disabledReason={form.parameters.length >= 64 && 'A script has 64 at most.'} icon="plus" onClick={() => set({ parameters: [...form.parameters, { name: '', about: '', value: '' }] })} size="sm">
          Add a parameter
        </Button>
      </section>
    </div>
  )
}
